"""Values for the options and arguments of commands: mostly good, some bad, now and then absurd.

Each is text; `{{mailguid:tss/INBOX/1}}` stands for a GUID that differs from server to server,
`{{dir}}` for the server's folder.
"""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

Text: TypeAlias = st.SearchStrategy[str]
Words: TypeAlias = st.SearchStrategy[list[str]]


def mostly(good: Text, bad: Text, *, times: int = 9) -> Text:
    """Draw a good value `times` as often as a bad one."""
    return st.integers(0, times).flatmap(lambda number: good if number else bad)


def one(*values: str) -> Text:
    """Draw one of the values; the first is the simplest."""
    return st.sampled_from(values)


_ABSURD = one(
    "", " ", "\\", "*", "%", "a\tb", "\x01", "x" * 300, "ä€", "\udcff", "%u", '"', "'", "-"
)

users = mostly(
    one("tss", "tss", "tss", "alice", "joe@example.com", "bob", "full"),
    one("nobody", "", "TSS", "tss@", "joe", "alice*", "a b", "../tss", "tss "),
)

mailboxes = mostly(
    one(
        *("INBOX", "INBOX", "Archive/2024", "Sent", "Archive", "Trash", "Työ/Ääni €", "New"),
        *("New/Sub", "inbox", "Drafts", "INBOX/sub"),
    ),
    st.one_of(
        _ABSURD,
        one("/", "a//b", "../x", "Sent/", "/Sent", "~x", "~/x", "Archive/", "x/" * 30, "."),
        one("Ty\xf6", "a&b", "&AOQ-", "INBOX/", "inbox/Sub", "dbox-Mails", "Missing", "a\nb"),
    ),
)

masks = mostly(
    one("*", "%", "INBOX", "Arch*", "*e*", "%/%", "Sent", "A%", "inb*", "Arc*/2024", "**"),
    mailboxes,
    times=3,
)

numbers = mostly(
    one("1", "0", "2", "10", "100", "1700000000", "4294967295"),
    one("", "-1", "abc", "4294967296", "99999999999999999999", "1x", " 1", "+1", "0x10", "1.5"),
    times=4,
)

guids = mostly(
    one(
        *("{{mailguid:tss/INBOX/1}}", "06007473730000000000000000000000"),
        *("{{mailguid:tss/Archive/2024/2}}", "00112233445566778899aabbccddeeff"),
    ),
    one("", "0", "x" * 32, "0011", "00112233445566778899AABBCCDDEEFF", "0" * 32, "g" * 32),
    times=3,
)

_WORDS = one(
    *("hello", "a", "mail", "plain", "ä", "example.com", "tss", "the", "Hello World", "png"),
    *("", "text/plain", "zzz", "ÄÄNI", "1"),
)

_HEADERS = mostly(
    one("subject", "From", "to", "message-id", "content-type", "Date", "x-none", "received"),
    one("", "a b", "a:b", "ä", "x" * 100),
)

dates = mostly(
    one(
        *("2024-01-03", "03-Jan-2024", "1704270000", "2h", "1weeks", "30d", "2024-01-01", "now"),
        *("1700000000", "5mins", "10secs", "3 days", "1 week"),
    ),
    one("", "x", "2024-13-01", "32-Jan-2024", "1", "-1", "1fortnight", "2024-01-01T00:00:00", "0"),
    times=4,
)

_SIZES = mostly(one("0", "1", "200", "1000", "1k", "1M", "100B", "2T"), one("", "-1", "1X", "x"))

_SETS = mostly(
    one("1", "1:*", "2:3", "*", "1,3", "2", "3:1", "1:4", "5"),
    one("", "0", "x", "1:", ":1", "1,,2", "4294967296", "1:2:3", "$"),
)

_KEYWORDS = mostly(one("Work", "$Forwarded", "$MDNSent", "work", "None"), one("", "a b", "\\Seen"))

_FLAG_KEYS = one(
    *("ALL", "SEEN", "UNSEEN", "DELETED", "UNDELETED", "FLAGGED", "UNFLAGGED", "ANSWERED"),
    *("UNANSWERED", "DRAFT", "UNDRAFT", "RECENT", "NEW", "OLD", "all", "Seen", "SAVEDATESUPPORTED"),
)


def _key(name: Text, *parameters: Text) -> Words:
    return st.tuples(name, *parameters).map(list)


_dates_keys = one("SINCE", "BEFORE", "ON", "SENTSINCE", "SENTBEFORE", "SENTON")
_saved_keys = one("SAVEDSINCE", "SAVEDBEFORE", "SAVEDON")

_simple_keys: Words = st.one_of(
    _key(_FLAG_KEYS),
    _key(_FLAG_KEYS),
    _key(one("MAILBOX"), masks),
    _key(one("MAILBOX"), one("INBOX", "INBOX", "Archive/2024", "Sent", "*")),
    _key(one("UID"), _SETS),
    _key(_SETS),
    _key(one("SUBJECT", "FROM", "TO", "CC", "BCC"), _WORDS),
    _key(one("BODY", "TEXT"), _WORDS),
    _key(one("HEADER"), _HEADERS, _WORDS),
    _key(_dates_keys, dates),
    _key(_saved_keys, dates),
    _key(one("OLDER", "YOUNGER"), numbers),
    _key(one("LARGER", "SMALLER"), _SIZES),
    _key(one("KEYWORD", "UNKEYWORD"), _KEYWORDS),
    _key(one("GUID", "MAILBOX-GUID"), guids),
    _key(one("MODSEQ", "X-REAL-UID", "OLDESTONLY", "FUZZY"), numbers),
    _key(one("INTHREAD"), one("REFS", "REFERENCES", "ORDEREDSUBJECT", "X"), _FLAG_KEYS),
    _key(
        one("MIMEPART"), one("("), one("CHILD", "PARENT", "TYPE", "FILENAME", "DEPTH", "X"), _WORDS
    ),
    _key(one("NONSENSE", "X-UNKNOWN", "", "SEE", "(", ")", "NOT", "OR", "()", "UID")),
)

_mime_keys: Words = st.one_of(
    _key(one("TYPE"), one("text", "image", "multipart", "x")),
    _key(one("SUBTYPE"), one("plain", "html", "png", "mixed")),
    _key(one("DISPOSITION"), one("TYPE"), one("attachment", "inline")),
    _key(one("DESCRIPTION", "ENCODING", "ID", "LANGUAGE", "LOCATION", "MD5"), _WORDS),
    _key(one("FILENAME"), one("IS", "CONTAINS", "BEGINS", "ENDS"), _WORDS),
    _key(one("DEPTH", "INDEX"), one("MIN", "MAX", "0", "1"), one("0", "1", "2")),
    _key(one("BODY", "SUBJECT", "FROM"), _WORDS),
    _key(one("CHILD", "PARENT"), one("EXISTS")),
    _key(one("PARAM"), one("charset", "name"), _WORDS),
    _key(one("HEADER"), _HEADERS, _WORDS),
    _key(one("SIZE"), one("LARGER", "SMALLER"), _SIZES),
)


def _compound(inner: Words) -> Words:
    return st.one_of(
        inner.map(lambda words: ["NOT", *words]),
        st.tuples(inner, inner).map(lambda two: ["OR", *two[0], *two[1]]),
        st.tuples(inner, inner).map(lambda two: [*two[0], *two[1]]),
        st.tuples(inner, inner).map(lambda two: ["(", *two[0], *two[1], ")"]),
        inner.map(lambda words: ["(", *words, ")"]),
    )


_mimepart = st.lists(_mime_keys, min_size=1, max_size=2).map(
    lambda keys: ["MIMEPART", "(", *(word for key in keys for word in key), ")"]
)
_any_key: Words = st.recursive(
    st.one_of(_simple_keys, _simple_keys, _mimepart), _compound, max_leaves=4
)

#: Search queries, as words; most of them narrow the search to a mailbox.
queries: Words = st.one_of(
    st.tuples(one("INBOX", "INBOX", "Archive/2024", "*"), _any_key).map(
        lambda pair: ["MAILBOX", pair[0], *pair[1]]
    ),
    _any_key,
    st.just(["MAILBOX", "INBOX", "ALL"]),
)

flags = mostly(
    one("\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "\\Draft", "Work", "$New", "\\seen", "x"),
    one(
        "", "\\Recent", "\\Bogus", "a b", "\\Seen \\Flagged", "(\\Seen)", "ä", "\\", "k" * 60, "\\*"
    ),
    times=5,
)

status_fields = mostly(
    one(
        *("all", "messages", "uidnext", "unseen", "vsize", "guid", "highestmodseq", "recent"),
        *("uidvalidity", "deleted", "firstsaved", "messages unseen", "uidnext vsize guid"),
    ),
    one("", "bogus", "messages bogus", "ALL", "messages,unseen", "size"),
)

fetch_fields = mostly(
    st.lists(
        one(
            *("uid", "guid", "flags", "mailbox", "hdr.subject", "size.virtual", "size.physical"),
            *("date.sent", "date.received", "body", "text", "hdr", "imap.envelope", "seq"),
            *("imap.body", "imap.bodystructure", "body.preview", "body.snippet", "text.utf8"),
            *("mailbox-guid", "modseq", "pop3.uidl", "pop3.order", "refcount", "storageid"),
            *(
                "date.received.unixtime",
                "date.sent.unixtime",
                "mime.parts",
                "user",
                "hdr.from.utf8",
            ),
            *("hdr.received", "body.1", "body.1.mime", "body.2", "binary.1", "body.header", "priv"),
            *("body.text", "hdr.to", "hdr.date", "hdr.x-none", "hdr.from.address", "uidvalidity"),
            *("body.header.fields.(subject from)", "body.header.fields.not.(received)"),
            *("hdr.from.address_name", "hdr.to.address_name.utf8", "refcount.id", "date.saved"),
        ),
        min_size=1,
        max_size=3,
    ).map(" ".join),
    one(
        "", "bogus", "hdr.", "body.", "body.0", "UID", "uid uid", "uid  guid", "body.1.", "binary."
    ),
    times=6,
)

acl_identifiers = mostly(
    one("user=alice", "user=bob", "owner", "anyone", "authenticated", "group=g", "-user=alice"),
    one("", "user=", "x", "user", "group=", "-", "user=a b", "=x", "anyone=x"),
)
acl_rights = mostly(
    one("lookup", "read", "write", "insert", "admin", "delete", "all", "post", "expunge"),
    one("", "lr", "bogus", ":lr", "+read", "-read", "LOOKUP", "create write"),
)

metadata_keys = mostly(
    one("/private/comment", "/shared/comment", "/private/x", "/private/specialuse", "/shared/x"),
    one(
        "",
        "comment",
        "/",
        "/private",
        "/private/",
        "private/comment",
        "/other/x",
        "/private/vendor",
    ),
)

#: Below homes alone, as what is made elsewhere is never taken away.
locations = mostly(
    one(
        *("mdbox:{{dir}}/home/tss/mdbox", "mdbox:{{dir}}/home/alice/mdbox", "mdbox:~/mdbox"),
        *("mdbox:{{dir}}/home/bob/mdbox/", "mdbox:{{dir}}/home/full/mdbox", "MDBOX:~/mdbox"),
    ),
    one(
        *("", "mdbox:", "mdbox", "nosuch:x", ":", "x", "maildir:~/none", "mdbox:~/none"),
        *(":/", "mdbox:~/mdbox:ALT=~/alt", ":~/none", ":x", "::", "mdbox::", "://", ":~", ":~/alt"),
        *("sdbox:~/none", "mbox:~/none", "mdbox:~", "{{dir}}/home/tss/mdbox", "nosuch:", "a b:c"),
    ),
    times=4,
)

sieve_names = mostly(
    one("main", "other", "new", "näme", "x"),
    one("", "missing", "a/b", ".", "..", "x" * 130, "a\tb", "main.sieve", ".hidden", "a\rb"),
)

sieve_scripts = one(
    "keep;\n",
    'require "fileinto";\nfileinto "Sent";\n',
    "",
    "# nothing\n",
    "nonsense;\n",
    'if header :contains "subject" "x" { discard; }\n',
    'require ["nosuch"];\n',
    "if true { keep;\n",
    'redirect "a@b.example";\nstop;\n',
    'fileinto "x";\n',
    'require "vacation";\nvacation "gone";\n',
    "keep\n",
    'require "imap4flags";\naddflag "\\\\Seen";\n',
    "text:\n.\n",
)

dict_keys = mostly(
    one("shared/a", "shared/b", "shared/sub/c", "shared/new", "priv/x", "shared/", "shared/sub/"),
    one("", "a", "/", "shared", "private/x", "shared//a", "shared/ä", "shared/a/"),
)
dict_uris = mostly(
    one("file:{{dir}}/dict", "file:{{dir}}/dict", "file:{{dir}}/fs/keys"),
    one("", "nosuch:x", "file", "proxy::x", "fail:x"),
)

fs_paths = mostly(
    one("hello.txt", "sub", "sub/two", "new", "sub/", "missing", "new/dir/file", "sub/new"),
    # Not "..", which is the server's own folder: `fs delete -R` would take it away; and what is
    # put in it is never put back.
    one("", "/", ".", "hello.txt/x", "sub/../x", "//", "ä"),
)
#: Without a prefix files would be made where nothing is put back.
fs_arguments = mostly(st.just("prefix={{dir}}/fs/"), one("bogus"))

mails = one(
    "Subject: new\n\nbody\n",
    "Subject: new\r\nFrom: a@b.example\r\nDate: Mon, 01 Jan 2024 10:00:00 +0100\r\n\r\nbody\r\n",
    "\nno header\n",
    "no colon\n",
    "Subject: dots\n\n.\n..\n.x\n",
    "Subject: =?utf-8?q?=C3=A4?=\nContent-Type: text/html\n\n<b>x</b>\n",
    "Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x\nContent-Type: a/b\n\n\n--x--\n",
    "",
    'Subject: folded\n subject\nDate: Thu, 1 Jan 1970 00:00:00 +0100\nTo: a@b, "c d" <e@f>\n\nb\n',
    "Subject: \udce4\udcf6\nContent-Type: text/plain; charset=iso-8859-1\n\n\udce4\udcfc\n",
    "Content-Transfer-Encoding: base64\nMessage-ID: <1@x>\n\naGVsbG8gd29ybGQK\n",
    "Content-Transfer-Encoding: quoted-printable\nIn-Reply-To: <1@x>\n\nh=C3=A4 =\nlo=20\n",
    "Content-Type: message/rfc822\nSubject: out\n\nSubject: in\nFrom: in@x\n\nhello\n",
    "Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: one\n\na\n--d--\n",
    "Content-Type: multipart/alternative; boundary=n\n\nno parts\n",
    "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/related;"
    " boundary=i\n\n--i\nContent-Type: text/html\n\n<p>x</p>\n--i--\n--o\nContent-Type: image/png;"
    " name=x.png\nContent-Disposition: attachment; filename*=utf-8''%C3%A4.png\n"
    "Content-Transfer-Encoding: base64\n\niVBORw0K\n--o--\n",
    "Subject: long " + "word " * 300 + "\n\n" + "x" * 2000 + "\n",
    "From: =?utf-8?B?w6Q=?= <a@b>\nCc: group: x@y, z@w;\nSubject: a\nSubject: b\n\n> quoted\nown\n",
)

received = mostly(
    one("2024-01-03 10:00:00", "2024-01-03", "1704270000", "now", "1 day"),
    one("", "x", "-1", "2024-13-45", "99999999999"),
)

#: For arguments that nothing more is known about.
texts = mostly(one("x", "tss", "a b", "1"), _ABSURD, times=4)
