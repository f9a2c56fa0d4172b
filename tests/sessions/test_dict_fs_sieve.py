"""dict, fs and sieve in what the recordings do not cover; all of it was asked of real servers."""

from __future__ import annotations

import pytest

from fakedove.dovecot.store import Store
from tests.sessions.talk import Talk, small_store

_DICT = {"2.3.19.1": "file:/srv/dict", "2.4.1": "acl_sharing_map"}


def _store() -> Store:
    store = small_store()
    store.dict |= {"shared/a": "1", "shared/sub/c": "c", "shared/text": "t"}
    store.files |= {"fs/hello": b"hello\n", "fs/sub/two": b"2"}
    return store


class _Talk(Talk):
    def __init__(self, dovecot: str = "2.4.1") -> None:
        super().__init__(dovecot, store=_store())
        self.world.directory = "/srv"
        self.world.read_file = self._read
        self._dict = _DICT[dovecot]
        self._fs = "posix\tprefix=/srv/fs/" if dovecot == "2.3.19.1" else "mail_ext_attachment"
        self.hello(0)

    def _read(self, path: str) -> bytes:
        try:
            return self.world.store.files[path.removeprefix("/srv/")]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    def run(self, line: str) -> str:
        """Run a command; `DICT` and `FS` stand for what the release needs, `~` for spaces."""
        line = line.replace("DICT", self._dict).replace("FS", self._fs).replace(" ", "\t")
        return self.say(line.replace("~", " ").replace("\\n", "\n").encode() + b"\n").decode()


@pytest.fixture(params=["2.3.19.1", "2.4.1"])
def talk(request: pytest.FixtureRequest) -> _Talk:
    """Talk to a server of either release."""
    return _Talk(request.param)


def test_dict_inc_of_negative_numbers(talk: _Talk) -> None:
    assert talk.run("  dict~inc DICT -- shared/a -5") == "\n+\n"
    assert talk.run("  dict~get DICT shared/a") == "-4\t\n+\n"


@pytest.mark.parametrize("number", ["abc", "", "+5", "99999999999999999999"])
def test_dict_inc_of_what_is_no_number(talk: _Talk, number: str) -> None:
    assert talk.run(f"  dict~inc DICT shared/a {number}") == "\n-USAGE\n"
    old = talk.world.release.dict_uris
    said = "dict-inc: Missing parameters" if old else f"Invalid parameter: {number}"
    assert talk.log[-1].endswith(said)


def test_dict_inc_of_text_kills_the_process(talk: _Talk) -> None:
    assert talk.run("  dict~inc DICT shared/text 1") == ""
    assert not talk.open


def test_mail_fs_put_dies_of_a_hash_before_it_looks_for_the_user() -> None:
    talk = _Talk("2.4.1")
    assert talk.say(b"\tnobody\tmail fs put\t-h\tx\t\tx\tnew\n") == b""
    assert not talk.open
    assert talk.log[0].endswith("killed with signal 11 (the real server crashes here)")


def test_dict_inc_by_nothing_asks_for_nothing(talk: _Talk) -> None:
    assert talk.run("  dict~inc DICT shared/none 0") == "\n+\n"
    assert talk.run("  dict~inc DICT shared/none 1") == "\n-NOTFOUND\n"


def test_dict_private_keys_need_a_user_but_are_no_users_own(talk: _Talk) -> None:
    assert talk.run("  dict~set -u tss DICT priv/x mine") == "\n+\n"
    assert talk.run("  dict~get -u alice DICT priv/x") == "mine\t\n+\n"


def test_dict_iter_by_prefix_and_exactly(talk: _Talk) -> None:
    assert talk.run("  dict~iter -R DICT shared/su") == "shared/sub/c\tc\t\n+\n"
    assert talk.run("  dict~iter DICT shared/sub") == "\n+\n"
    # What does not fill all columns of the connection comes behind the status.
    assert talk.run("  dict~iter -1V DICT shared/a") == "\n+\nshared/a\t"


def test_dict_that_does_not_open_has_columns_only_in_new_releases(talk: _Talk) -> None:
    assert talk.run("  dict~get DICT zz") == "\n-USAGE\n"
    old = talk.world.release.dict_uris
    expected = "1\t\n+\n" if old else "\n+\n1\t"
    assert talk.run("  dict~get DICT shared/a") == expected


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("  dict~set -e 1 DICT shared/a 2", "\n-TEMPFAIL\n"),
        ("  dict~set -e 0 DICT shared/a 2", "\n+\n"),
        ("  dict~set -t 1000000000 DICT shared/a 2", "\n+\n"),
        ("  dict~set -t 999999999 DICT shared/a 2", ""),
        ("  dict~set -t -5 DICT shared/a 2", "\n-USAGE\n"),
        (" tss mail~dict~set DICT shared/a 2", "\n-TEMPFAIL\n"),
        (" tss mail~dict~inc DICT shared/a 0", "\n-TEMPFAIL\n"),
        (" tss mail~dict~get DICT priv/x", "\n-NOTFOUND\n"),
        (" tss mail~dict~get nosuch shared/a", "\n-TEMPFAIL\n"),
        (" tss mail~dict~get DICT", ""),
    ],
)
def test_dict_of_2_4(line: str, answer: str) -> None:
    assert _Talk().run(line) == answer


def test_after_mail_an_old_process_cannot_write() -> None:
    talk = _Talk("2.3.19.1")
    talk.run(" tss mailbox~list")
    assert talk.run("  dict~set DICT shared/a 2") == "\n-TEMPFAIL\n"
    why = "dict-file: file_dotlock_open(/srv/dict) failed: Permission denied"
    assert talk.log[-1].endswith(why)
    assert talk.run("  fs~delete FS hello") == "\n-TEMPFAIL\n"
    assert talk.world.store.files["fs/hello"] == b"hello\n"


@pytest.mark.parametrize("release", ["2.3.19.1", "2.4.1"])
def test_sieve_put_of_no_path_finds_no_file(release: str) -> None:
    talk = _Talk(release)
    assert talk.say(b"\ttss\tsieve put\tmain\t\nkeep;\n\n.\n")[:1] != b"+"
    why = "read(script input) failed: open() failed: No such file or directory"
    assert any(line.endswith(why) for line in talk.log)


def test_fs_put_of_no_path_finds_no_file() -> None:
    talk = _Talk("2.3.19.1")
    assert talk.say(b"\t\tfs put\tposix\tprefix=/srv/fs/\t\tnew\n") == b"\n-TEMPFAIL\n"
    assert talk.log[-1].endswith("read() failed: open() failed: No such file or directory")


# A `.` in the path cannot be removed when it is left empty, nor what lies above it then.
def test_fs_delete_tidies_up_to_a_dot() -> None:
    talk = _Talk("2.3.19.1")
    assert talk.run("  fs~delete FS sub/./two") == "\n+\n"
    stuck = "fs-posix: fs-posix: rmdir(/srv/fs/sub/.) failed: Invalid argument"
    assert talk.log[-1].endswith(f"Error: {stuck} (in file sub/./two deinit)")
    assert talk.run("  fs~iter-dirs FS /") == "sub\t\n+\n"
    talk.run("  fs~put FS /srv/fs/hello ./a/b")
    assert talk.run("D  fs~delete -R FS .") == "\n+\n"
    assert [line.partition("rmdir")[2] for line in talk.log[-4:]] == [
        "(/srv/fs/.) failed: Invalid argument",
        "(/srv/fs/.) failed: Invalid argument (in file ./a/b deinit)",
        "(/srv/fs/.) failed: Invalid argument",
        "(/srv/fs/.) failed: Invalid argument (in file ./hello deinit)",
    ]
    assert talk.world.store.files == {"fs/sub/": b""}


def test_fs_delete_of_2_4_knows_no_such_end() -> None:
    talk = _Talk()
    assert talk.run("  fs~delete FS sub/./two") == "\n+\n"
    assert talk.log == []


# Measured on 2.4.1, where only `mail fs` lacks the rights.
def test_mail_fs_delete_leaves_files_alone_beside_what_it_could_not_remove() -> None:
    talk = _Talk()
    assert talk.run(" tss mail~fs~delete -R FS /") == "\n-TEMPFAIL\n"
    tried = [line.partition("fs_delete(")[2].partition(")")[0] for line in talk.log]
    assert tried == ["/sub/two", "/sub", ""]


def test_fs_put_copy_and_iter(talk: _Talk) -> None:
    assert talk.run("  fs~put FS /srv/fs/sub/two a/b") == "\n+\n"
    assert talk.run("  fs~copy FS hello new") == "\n+\n"
    assert talk.world.store.files["fs/a/b"] == b"2"
    assert talk.run("  fs~iter FS /") == "new\thello\t\n+\n"


def test_fs_copy_to_itself_loses_the_file(talk: _Talk) -> None:
    assert talk.run("  fs~copy FS hello hello") == "\n-NOTFOUND\n"
    assert "fs/hello" not in talk.world.store.files


def test_fs_copy_of_a_directory(talk: _Talk) -> None:
    assert talk.run("  fs~copy FS sub new") == "\n-TEMPFAIL\n"
    assert talk.log[-1].endswith("Operation not permitted (in file sub deinit)")


def test_fs_delete_stops_at_the_first_failure(talk: _Talk) -> None:
    assert talk.run("  fs~delete FS nosuch hello") == "\n-NOTFOUND\n"
    assert "fs/hello" in talk.world.store.files


def test_fs_delete_of_a_tree(talk: _Talk) -> None:
    assert talk.run("  fs~delete -R FS sub") == "\n+\n"
    assert list(talk.world.store.files) == ["fs/hello"]


def test_fs_delete_of_a_file_as_a_tree(talk: _Talk) -> None:
    assert talk.run("  fs~delete -R FS hello") == "\n-TEMPFAIL\n"
    keeps = talk.world.release.fs_keeps_empty_folders
    assert ("fs/hello" in talk.world.store.files) is not keeps


def test_fs_directories_that_become_empty_stay_in_new_releases(talk: _Talk) -> None:
    assert talk.run("  fs~delete FS sub/two") == "\n+\n"
    keeps = talk.world.release.fs_keeps_empty_folders
    assert talk.run("  fs~stat FS sub") == ("sub\t40\t\n+\n" if keeps else "\n-NOTFOUND\n")


def test_fs_put_where_a_directory_is(talk: _Talk) -> None:
    assert talk.run("  fs~put FS /srv/fs/hello sub") == "\n-TEMPFAIL\n"
    assert talk.log[-1].endswith("/srv/fs/sub) failed: Is a directory")


@pytest.mark.parametrize("line", ["  fs~put -h ab FS a b", "  fs~iter -O FS /", "  fs~get FS"])
def test_fs_kills_the_process(talk: _Talk, line: str) -> None:
    assert talk.run(line) == ""
    assert not talk.open


def test_fs_driver_is_looked_at_before_the_path_is_missed() -> None:
    talk = _Talk("2.3.19.1")
    talk.run("  fs~get nosuch x")
    assert talk.log == ["doveadm: Fatal: fs_init() failed: Unknown fs driver: nosuch"]


def test_sieve_put_replaces_and_moves_to_the_front(talk: _Talk) -> None:
    for name in ("one", "two", "one"):
        assert talk.run(f" tss sieve~put -a {name}\\nkeep;\\n.") == "\n+\n"
    assert talk.run(" tss sieve~list") == "one\tACTIVE\ttwo\t\t\n+\n"


def test_sieve_active_script_is_not_deleted_by_mistake(talk: _Talk) -> None:
    talk.run(" tss sieve~put -a one\\nkeep;\\n.")
    assert talk.run(" tss sieve~delete one nosuch") == "\n-DATAERR\n"
    assert talk.run(" tss sieve~rename one two") == "\n+\n"
    assert talk.run(" tss sieve~list") == "two\tACTIVE\t\n+\n"
    assert talk.run(" tss sieve~delete -a two") == "\n+\n"
    assert talk.run(" tss sieve~list") == "\n+\n"


def test_sieve_warnings_do_not_keep_a_script_out(talk: _Talk) -> None:
    assert talk.run(" tss sieve~put one\\n#\\n.") == "\n+\n"
    assert "Warning: sieve: one: line 1: no newline" in talk.log[-1]


@pytest.mark.parametrize("name", ["", "a/b", "a\x7f", "a\u2028b", "n" * 300])
def test_sieve_names_that_cannot_be(talk: _Talk, name: str) -> None:
    assert talk.run(f" tss sieve~get {name}") == ""
    assert talk.log[-1].endswith(f"Fatal: Sieve script name not valid: {name}")


def test_sieve_put_of_a_file_that_is_not_there() -> None:
    line = " tss sieve~put one /srv/nosuch"
    assert _Talk("2.3.19.1").run(line) == "\n-TEMPFAIL\n"
    assert _Talk("2.4.1").run(line) == ""


# Measured: another file is another dictionary, empty as long as nothing is put there.
def test_dict_of_another_file() -> None:
    talk = _Talk("2.3.19.1")
    get = b"\t\tdict get\tfile:/srv/fs/keys\tshared/a\n"
    assert talk.say(get) == b"\n-NOTFOUND\n"
    for words in (b"set\tfile:/srv/fs/keys\tshared/a\t4", b"inc\tfile:/srv/fs/keys\tshared/a\t3"):
        assert talk.say(b"\t\tdict %b\n" % words) == b"\n+\n"
    assert b"7\t" in talk.say(get)
    assert talk.world.store.files["fs/keys"] == b"shared/a\n7\n"
    assert talk.say(b"\t\tdict set\tfile:/srv/fs\tshared/a\t4\n") == b"\n-TEMPFAIL\n"
    assert talk.log[-2:] == [
        "doveadm: Error: rename(/srv/fs.lock, /srv/fs) failed: Is a directory",
        "doveadm: Error: dict_transaction_commit() failed: "
        "file_dotlock_replace() failed: Is a directory",
    ]


# Measured: the dict service knows no dictionaries by name, and there is no other service.
@pytest.mark.parametrize(
    ("uri", "why"),
    [
        (b"proxy::x", "Connection closed"),
        (b"proxy:y:x", "net_connect_unix(/var/run/dovecot/y) failed: No such file or directory"),
    ],
)
def test_dict_by_proxy(uri: bytes, why: str) -> None:
    talk = _Talk("2.3.19.1")
    for words, what in (
        (b"get\t%b\tshared/a", "dict_lookup(shared/a)"),
        (b"inc\t%b\tshared/a\t1", "dict_transaction_commit()"),
        (b"iter\t%b\tshared/", "dict_iterate_deinit(shared/)"),
    ):
        assert talk.say(b"\t\tdict %b\n" % (words % uri)) == b"\n-TEMPFAIL\n"
        assert talk.log[-1].startswith(f"doveadm: Error: {what} failed: {why} (reply took ")


def test_fs_delete_of_the_directory_itself() -> None:
    talk = _Talk("2.4.1")
    talk.say(b"\t\tfs delete\tmail_ext_attachment\t.\n")
    assert talk.log[-1].endswith("fs_delete(.) failed: rmdir(/srv/fs/.) failed: Invalid argument")


def test_fs_copy_tells_late_of_a_directory_without_its_slash() -> None:
    talk = _Talk("2.3.19.1")
    talk.say(b"\t\tfs copy\tposix\tprefix=/srv/fs/\tsub/\tsub/new\n")
    why = "link(/srv/fs/sub, /srv/fs/sub/new) failed: Operation not permitted"
    assert talk.log[-1] == f"doveadm: Error: fs-posix: fs-posix: {why} (in file sub deinit)"


def test_dict_inc_takes_the_first_number_that_is_one_in_2_3() -> None:
    talk = _Talk("2.3.19.1")
    assert talk.run("  dict~inc DICT shared/a x 2") == "\n+\n"
    assert talk.run("  dict~get DICT shared/a") == "3\t\n+\n"


def test_dict_inc_asks_a_service_for_the_value() -> None:
    talk = _Talk("2.3.19.1")
    assert talk.run("  dict~inc proxy::x shared/text 1") == "\n-TEMPFAIL\n"
    assert "dict_transaction_commit() failed: Connection closed" in talk.log[-1]


def test_fs_copy_makes_the_folder_before_it_knows_that_the_file_is_missing(talk: _Talk) -> None:
    assert talk.run("  fs~copy FS new new/dir/file") == "\n-TEMPFAIL\n"
    assert talk.log[-1].endswith("Operation not permitted (in file new deinit)")
    assert talk.run("  fs~iter-dirs FS new") == "dir\t\n+\n"


@pytest.mark.parametrize(
    ("path", "shown"), [("sub", "sub"), ("sub/", "sub"), ("/", ""), ("//", "/")]
)
def test_fs_takes_one_slash_off_a_file(talk: _Talk, path: str, shown: str) -> None:
    assert talk.run(f"  fs~copy FS hello {path}") == "\n-TEMPFAIL\n"
    assert f"unlink(/srv/fs/{shown}) failed: Is a directory" in talk.log[-2]


def test_an_old_process_is_told_what_its_rights_forbid() -> None:
    talk = _Talk("2.3.19.1")
    talk.run(" tss mailbox~list")
    for line, failed in (
        ("  fs~copy FS nosuch a/b", "mkdir_parents(/srv/fs/a) failed: Permission denied"),
        ("  fs~delete FS /", "rmdir(/srv/fs/) failed: Permission denied"),
        ("  fs~delete FS .", "rmdir(/srv/fs/.) failed: Invalid argument"),
        ("  fs~delete -R FS /", "unlink(/srv/fs//hello) failed: Permission denied"),
    ):
        assert talk.run(line) == "\n-TEMPFAIL\n"
        assert talk.log[-1].endswith(failed)


def test_fs_delete_of_too_many_at_a_time(talk: _Talk) -> None:
    assert talk.run("  fs~delete -n 10000000 FS hello") == "\n+\n"
    assert talk.run("  fs~delete -n 33554432 FS sub/two") == ""
    assert "data stack: Out of memory when allocating 536870952 bytes" in talk.log[-1]


@pytest.mark.parametrize(
    ("path", "why"), [("/", "Not a directory"), (".", "Device or resource busy")]
)
def test_fs_put_on_the_folder_itself(talk: _Talk, path: str, why: str) -> None:
    assert talk.run(f"  fs~put FS /srv/fs/hello {path}") == "\n-TEMPFAIL\n"
    assert talk.log[-1].endswith(f"failed: {why}")


def test_sis_knows_no_empty_path() -> None:
    talk = _Talk("2.3.19.1")
    assert talk.run("  sis~deduplicate  ") == ""
    assert talk.log[-1].endswith("stat() failed: No such file or directory")


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        (" tss sieve~put x", 1),
        (" tss sieve~put -a x", 2),
        (" tss sieve~activate one", 1),
        (" tss sieve~rename two three", 1),
        (" tss sieve~delete -a two one", 3),
        (" tss sieve~deactivate", 1),
        (" tss sieve~get one", 0),
        (" tss sieve~delete one", 0),
    ],
)
def test_a_change_of_scripts_is_one_of_inbox(talk: _Talk, line: str, changes: int) -> None:
    user = talk.world.store.users["tss"]
    user.sieve_scripts.update(one=b"keep;", two=b"keep;")
    user.sieve_active = "one"
    before = user.mailbox("INBOX").highestmodseq
    talk.run(line + ("\nkeep;\n." if " sieve~put" in line else ""))
    assert user.mailbox("INBOX").highestmodseq - before == changes
