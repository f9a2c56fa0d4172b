"""Names of charsets: those that glibc's iconv knows (2.36), by the codecs of Python's for them.

Which codec it is was found by having both convert each byte and some thousand pairs of bytes.
Charsets for which there is no such codec are left out, as though nobody knew them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NAMES: Final = {
    "ascii": (
        "ansi_x3.4 ansi_x3.4-1968 ansi_x3.4-1986 ascii cp367 cp891 cp903 csascii csibm891 "
        "csibm903 ibm367 ibm891 ibm903 iso-ir-6 iso646-us iso_646.irv:1991 osf00010020 "
        "osf1002037b osf10020387 us us-ascii"
    ),
    "big5hkscs": "big5-hkscs big5hkscs",
    "cp037": (
        "cp037 cp1070 cp282 csibm037 ebcdic-cp-ca ebcdic-cp-nl ebcdic-cp-us ebcdic-cp-wt "
        "ibm037 osf10020025"
    ),
    "cp1026": "1026 cp1026 csibm1026 ibm1026 osf10020402",
    "cp1125": "cp1125 ibm848 ruscii",
    "cp1140": "cp1140 csibm1140 ibm-1140 ibm1140",
    "cp1250": "cp1250 ms-ee windows-1250",
    "cp1251": "cp1251 ms-cyrl windows-1251",
    "cp1252": "cp1252 ms-ansi windows-1252",
    "cp1253": "cp1253 ms-greek windows-1253",
    "cp1254": "cp1254 ms-turk windows-1254",
    "cp1255": "cp1255 ms-hebr windows-1255",
    "cp1256": "cp1256 cp9448 csibm9448 ibm-9448 ibm9448 ms-arab windows-1256",
    "cp1257": "cp1257 winbaltrim windows-1257",
    "cp1258": "cp1258 windows-1258",
    "cp273": "cp273 csibm273 ibm273",
    "cp424": "cp424 csibm424 ebcdic-cp-he ibm424",
    "cp437": "437 cp437 cspc8codepage437 ibm437 osf100201b5",
    "cp500": "500 500v1 cp1084 cp500 csibm500 ebcdic-cp-be ebcdic-cp-ch ibm500 osf100201f4",
    "cp737": "cp737",
    "cp775": "cp775 cspc775baltic ibm775",
    "cp850": "850 cp850 cspc850multilingual ibm850 osf10020352",
    "cp852": "852 cp852 cspcp852 ibm852 osf10020354",
    "cp855": "855 cp855 csibm855 ibm855 osf10020357",
    "cp856": "856 cp856 csibm856 ibm-856 ibm856",
    "cp857": "857 cp857 csibm857 ibm857 osf10020359",
    "cp858": "858 cp858 cspc858multilingual ibm858",
    "cp860": "860 cp860 csibm860 ibm860",
    "cp861": "861 cp861 cpibm861 ibm861 osf1002035d",
    "cp862": "862 cp862 cspc862latinhebrew ibm862 osf1002035e",
    "cp863": "863 cp863 csibm863 ibm863 osf1002035f",
    "cp864": "864 cp864 csibm864 ibm864 osf10020360",
    "cp865": "865 cp865 csibm865 ibm865",
    "cp866": "866 cp866 csibm866 ibm866",
    "cp869": "869 cp-gr cp869 csibm869 ibm869 osf10020365",
    "cp874": "874 cp874 ibm874 windows-874",
    "cp875": "cp875",
    "cp932": "cp932 cswindows31j ms932 sjis-open sjis-win windows-31j",
    "cp949": "cp949 mscp949 osf100203b5 uhc",
    "cp950": "big-5 big-five big5 bigfive cn-big5 cp950",
    "euc_jis_2004": "euc-jisx0213",
    "euc_jp": "cseucpkdfmtjapanese euc-jp eucjp osf00030010 ujis",
    "euc_kr": "cseuckr euc-kr euckr osf0004000a",
    "gb18030": "gb18030",
    "gb2312": "cn-gb csgb2312 euc-cn euccn gb2312",
    "gbk": "cp936 gb13000 gbk ms936 windows-936",
    "hp-roman8": "cshproman8 hp-roman8 hproman8 osf10010001 r8 roman8",
    "iso2022_jp": (
        "csiso2022jp csiso2022jp2 iso-2022-jp iso-2022-jp-2 iso-2022-jp-3 iso2022jp iso2022jp2"
    ),
    "iso2022_kr": "csiso2022kr iso-2022-kr iso2022kr",
    "iso8859-1": (
        "8859_1 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 "
        "iso_8859-1:1987 l1 latin1 osf00010001"
    ),
    "iso8859-10": (
        "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 iso_8859-10 iso_8859-10:1992 "
        "l6 latin6 osf0001000a"
    ),
    "iso8859-11": "hp-thai8 hpthai8 iso-8859-11 iso8859-11 iso885911 thai8",
    "iso8859-13": (
        "baltic cp921 csibm921 ibm-921 ibm921 iso-8859-13 iso-ir-179 iso8859-13 iso885913 l7 latin7"
    ),
    "iso8859-14": (
        "iso-8859-14 iso-celtic iso-ir-199 iso8859-14 iso885914 iso_8859-14 iso_8859-14:1998 "
        "l8 latin8"
    ),
    "iso8859-15": (
        "iso-8859-15 iso-ir-203 iso8859-15 iso885915 iso_8859-15 iso_8859-15:1998 latin-9 latin9"
    ),
    "iso8859-16": (
        "iso-8859-16 iso-ir-226 iso8859-16 iso885916 iso_8859-16 iso_8859-16:2001 l10 latin10"
    ),
    "iso8859-2": (
        "8859_2 cp912 csisolatin2 ibm912 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 "
        "iso_8859-2:1987 l2 latin2 osf00010002"
    ),
    "iso8859-3": (
        "8859_3 csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 "
        "iso_8859-3:1988 l3 latin3 osf00010003"
    ),
    "iso8859-4": (
        "8859_4 csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 "
        "iso_8859-4:1988 l4 latin4 osf00010004"
    ),
    "iso8859-5": (
        "8859_5 cp915 csisolatincyrillic cyrillic ibm915 iso-8859-5 iso-ir-144 iso8859-5 "
        "iso88595 iso_8859-5 iso_8859-5:1988 osf00010005"
    ),
    "iso8859-6": (
        "8859_6 arabic asmo-708 cp1089 csisolatinarabic ecma-114 ibm1089 iso-8859-6 "
        "iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 osf00010006"
    ),
    "iso8859-7": (
        "8859_7 cp813 csisolatingreek ecma-118 elot_928 greek greek8 ibm813 iso-8859-7 "
        "iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 iso_8859-7:2003 osf00010007"
    ),
    "iso8859-8": (
        "8859_8 cp916 csisolatinhebrew hebrew ibm916 iso-8859-8 iso-ir-138 iso8859-8 iso88598 "
        "iso_8859-8 iso_8859-8:1988 osf00010008"
    ),
    "iso8859-9": (
        "8859_9 cp920 csisolatin5 ecma-128 ibm920 iso-8859-9 iso-ir-148 iso8859-9 iso88599 "
        "iso_8859-9 iso_8859-9:1989 l5 latin5 osf00010009 ts-5881"
    ),
    "johab": "cp1361 johab mscp1361",
    "koi8-r": "cskoi8r koi8-r koi8r",
    "koi8-t": "koi8-t",
    "koi8-u": "koi8-u koi8u",
    "kz1048": "rk1048 strk1048-2002",
    "mac-cyrillic": "mac-cyrillic mac-uk maccyrillic macuk macukrainian",
    "mac-latin2": "cp1282 mac-centraleurope",
    "mac-roman": "csmacintosh mac macintosh",
    "ptcp154": "pt154",
    "shift_jis": "csshiftjis ms_kanji shift-jis shift_jis sjis",
    "shift_jis_2004": "shift_jisx0213 shiftjisx0213",
    "tis-620": "iso-ir-166 tis-620 tis620 tis620-0 tis620.2529-1 tis620.2533-0",
    "utf-16": "csunicode unicode utf-16 utf16",
    "utf-16-be": "ucs-2be unicodebig utf-16be utf16be",
    "utf-16-le": (
        "iso-10646/ucs2 osf00010100 osf00010101 osf00010102 ucs-2 ucs-2le ucs2 unicodelittle "
        "utf-16le utf16le"
    ),
    "utf-32": "utf-32 utf32",
    "utf-32-be": (
        "10646-1:1993 10646-1:1993/ucs4 csucs4 iso-10646 iso-10646/ucs4 osf00010104 "
        "osf00010105 osf00010106 ucs-4 ucs-4be ucs4 utf-32be utf32be"
    ),
    "utf-32-le": "ucs-4le wchar_t",
    "utf-7": "utf-7 utf7",
}

#: The codec's name by the charset's in lower case; UTF-8 is not among them.
CODECS: Final[Mapping[str, str]] = {
    name: codec for codec, names in _NAMES.items() for name in names.split()
}
