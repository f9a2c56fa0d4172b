from __future__ import annotations

from pathlib import Path

import pytest

from fakedove.dovecot.mail_files import MailFiles
from fakedove.errors import StoreError


def test_a_mail_is_read_as_dovecot_stores_it(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(b"Subject: x\r\n\r\nbody\n")
    mail = MailFiles().mail(path)
    assert (mail.data, mail.virtual_size) == (b"Subject: x\n\nbody\n", 20)


def test_a_folder_is_read_by_name(tmp_path: Path) -> None:
    for name in ("10.eml", "2.EML", ".hidden.eml", "notes.txt"):
        (tmp_path / name).write_text(name)
    assert [mail.data for mail in MailFiles().folder(tmp_path)] == [b"10.eml", b"2.EML"]


def test_files_of_one_content_share_it(tmp_path: Path) -> None:
    for name in ("a.eml", "b.eml"):
        (tmp_path / name).write_bytes(b"the same\r\n" * 100)
    files = MailFiles()
    first, second = files.folder(tmp_path)
    assert first.data is second.data
    assert files.mail(tmp_path / "a.eml") is first


@pytest.mark.parametrize("make_folder", [False, True])
def test_a_folder_without_mail_is_an_error(tmp_path: Path, make_folder: bool) -> None:
    if make_folder:
        (tmp_path / "mails").mkdir()
    text = "has no .eml file" if make_folder else "cannot be read: No such file or directory"
    with pytest.raises(StoreError, match=f"mails {text}$"):
        MailFiles().folder(tmp_path / "mails")
