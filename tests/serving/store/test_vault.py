import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegate.serving.store import Vault, VaultError, new_key_line
from facegate.serving.store.errors import TamperedError
from facegate.serving.store.vault import KEY_FILE, KEYS, Sealed

VAULT = Vault.from_text(new_key_line("one"))
words = st.lists(st.text(max_size=8), max_size=4).map(tuple)


@given(st.binary(max_size=300), words)
def test_what_was_sealed_opens_in_its_context(data, context):
    assert VAULT.open(VAULT.seal(data, *context), *context) == data


@given(st.binary(max_size=60), words, st.data())
def test_any_flipped_bit_is_refused(data, context, draw):
    sealed = VAULT.seal(data, *context)
    at = draw.draw(st.integers(0, len(sealed.data) * 8 - 1))
    broken = bytearray(sealed.data)
    broken[at // 8] ^= 1 << at % 8
    with pytest.raises(TamperedError):
        VAULT.open(Sealed(sealed.key_id, bytes(broken)), *context)


@given(st.binary(max_size=60), st.integers(1, 200))
def test_cut_data_are_refused(data, cut):
    sealed = VAULT.seal(data, "x")
    with pytest.raises(TamperedError):
        VAULT.open(sealed._replace(data=sealed.data[: max(0, len(sealed.data) - cut)]), "x")


@given(words, words)
def test_another_context_does_not_open(one, other):
    sealed = VAULT.seal(b"data", *one)
    if one == other:
        assert VAULT.open(sealed, *other) == b"data"
    else:
        with pytest.raises(TamperedError):
            VAULT.open(sealed, *other)


def test_the_same_data_never_look_the_same():
    assert len({VAULT.seal(b"data").data for _ in range(100)}) == 100


def test_the_newest_key_seals_and_the_older_ones_open():
    old = new_key_line("2029")
    sealed = Vault.from_text(old).seal(b"data", "x")
    both = Vault.from_text(f"# keys\n{old}  # the old one\n\n{new_key_line('2030')}\n")
    assert (both.key_id, both.key_ids) == ("2030", ("2029", "2030"))
    assert both.open(sealed, "x") == b"data"
    assert both.seal(b"data").key_id == "2030"


def test_another_key_of_the_same_name_does_not_open():
    with pytest.raises(TamperedError, match="sealed by another key of this name"):
        Vault.from_text(new_key_line("one")).open(VAULT.seal(b"data"))


def test_keys_come_from_a_file_or_the_environment(tmp_path):
    line = new_key_line("k")
    path = tmp_path / "keys"
    path.write_text(line)
    sealed = Vault.from_text(line).seal(b"data")
    two = f"{line}, {new_key_line('z')}"
    for vault in (Vault.load(path), Vault.load(environment={KEY_FILE: str(path)})):
        assert vault.open(sealed) == b"data"
    assert Vault.load(environment={KEYS: two}).key_ids == ("k", "z")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no key is given"),
        ("# nothing", "no key is given"),
        ("name", "key 1 is malformed"),
        ("na/me AAAA", "key 1 is malformed"),
        ("name !!!!", "no base64"),
        (f"name {base64.b64encode(b'x' * 16).decode()}", "has 16 bytes"),
        ("\n".join(f"a {base64.b64encode(byte * 32).decode()}" for byte in (b"x", b"y")), "`a` stands twice"),
    ],
)
def test_malformed_keys_are_refused(text, says):
    with pytest.raises(VaultError, match=says):
        Vault.from_text(text)


def test_malformed_keys_are_not_shown():
    secret = base64.b64encode(os.urandom(31)).decode()
    with pytest.raises(VaultError) as caught:
        Vault.from_text(f"name {secret}")
    assert secret not in str(caught.value)


def test_missing_keys_are_named(tmp_path):
    with pytest.raises(VaultError, match=KEY_FILE):
        Vault.load(environment={})
    with pytest.raises(VaultError, match="absent"):
        Vault.load(tmp_path / "absent")


@pytest.mark.parametrize("content", [b"", b"\xff\x00 no text"])
def test_a_key_file_that_lost_its_content_is_named_and_not_just_made_anew(tmp_path, content):
    (tmp_path / "vault.key").write_bytes(content)
    with pytest.raises(VaultError, match=r"vault\.key: ") as caught:
        Vault.load(tmp_path / "vault.key")
    assert "restore the copy" in caught.value.remedy and "facegate vault new" in caught.value.remedy
