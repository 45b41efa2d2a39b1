"""Which passwords are good enough: long, not somebody's first guess, not the account's own name."""

import re
from collections.abc import Iterable
from typing import Final

# NIST SP 800-63B: at least 8, no rules about kinds of characters, and room for long phrases.
MIN_CHARACTERS: Final = 8
# Nobody types more; argon2 would take a second over what a hostile body could hold.
MAX_CHARACTERS: Final = 1_024
# A third of a password repeated is no longer than that third.
_FEWEST_DISTINCT: Final = 4

# What lists of leaked passwords begin with, once digits and marks at either end are gone.
_GUESSED_FIRST: Final = frozenset(
    """
    abc abcd abcdef access admin administrator adobe amanda andrea andrew angel anthony apple ashley
    asdf asdfasdf asdfgh asdfghjk asdfghjkl azerty azertyuiop babygirl badboy bailey baseball
    basketball batman beautiful blink butterfly buster changeme charlie cheese chelsea chocolate
    chocolat computer cookie corvette cowboys daniel darkroom default diamond dragon einstein
    elephant eminem facebook falcon family ferrari flower football forever freedom friends garfield
    george gfhjkm ginger google guest hannah harley hello hunter iloveu iloveyou internet jackson
    jasmine jennifer jessica jordan joshua justin killer letmein liverpool login london lovely
    loveme lover manchester marina marlboro master matrix matthew mercedes merlin michael michelle
    midnight monkey mustang myspace naruto newyork nicole ninja nothing orange pass passw passwd
    password passwort patrick pepper phoenix player please pokemon porsche princess purple qazwsx
    qazwsxedc qwaszx qwer qwert qwerty qwertyu qwertyui qwertyuiop querty ranger robert root
    samantha samsung secret security server shadow silver simple slipknot snoopy soccer spider
    spiderman starwars steelers summer sunflower sunshine superman superstar sweetheart system
    taylor tennis test testing thomas thunder tigger tinkerbell trustno unknown user victoria
    warcraft welcome whatever william winner winter wizard yamaha yankees yellow zaqwsx zxcvbn
    zxcvbnm
    """.split()  # noqa: SIM905 - a list to read, not a literal to scroll
)
# Rows of a keyboard and of the alphabet, along which fingers run.
_RUNS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
)
# Digits and marks before and after a word: Password1!, 123monkey.
_EDGES: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LEET: Final = str.maketrans("@013$5", "aoiess")


def password_problem(password: str, *, own_names: Iterable[str] = ()) -> str | None:
    """Return what is wrong with a password, as it was typed, in one sentence, or None."""
    if len(password) < MIN_CHARACTERS:
        return f"Use at least {MIN_CHARACTERS} characters."
    if len(password) > MAX_CHARACTERS:
        return f"Use at most {MAX_CHARACTERS} characters."
    if "\x00" in password:
        return "A password cannot hold the character NUL."
    if _is_guessed_first(password.lower()):
        return "This password is among the first that anybody would try."
    if password.lower() in {name.lower() for name in own_names}:
        return "The password must differ from the e-mail address and the user name."
    return None


def _is_guessed_first(password: str) -> bool:
    if len(set(password)) < _FEWEST_DISTINCT:
        return True
    if any(password in run or password[::-1] in run for run in _RUNS):
        return True
    return bool(_words_in(password) & _GUESSED_FIRST)


def _words_in(password: str) -> set[str]:
    bare = _EDGES.sub("", password)
    spelt = {password, bare, password.translate(_LEET), bare.translate(_LEET)}
    # A word written twice is still that word.
    return spelt | {word[: len(word) // 2] for word in spelt if _is_doubled(word)}


def _is_doubled(word: str) -> bool:
    half = len(word) // 2
    return half > 0 and word == word[:half] * 2
