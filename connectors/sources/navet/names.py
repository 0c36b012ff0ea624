"""The name a person goes by (*tilltalsnamn*), from the mark in the register."""


def call_name(given: str, mark: str) -> str:
    """The part of the given names that `Tilltalsnamnsmarkering` points at; empty where it points at none.

    The mark is two digits: the first call name, counted from 1, and a second one or 0 ("23": the second and the third).
    Whether the halves of a hyphenated name count one by one is not settled in any public source. They are counted as one
    name; only where the mark then points outside are they counted one by one.
    """
    if len(mark) != 2 or not (mark.isascii() and mark.isdigit()) or mark[0] == "0":
        return ""
    indexes = [int(digit) for digit in mark if digit != "0"]
    whole = given.split()
    if max(indexes) <= len(whole):
        return " ".join(whole[index - 1] for index in indexes)
    halves = [(half, number) for number, name in enumerate(whole) for half in name.split("-") if half]
    if max(indexes) > len(halves):
        return ""
    chosen = [halves[index - 1] for index in indexes]
    same_name = len(chosen) == 2 and chosen[0][1] == chosen[1][1]
    return ("-" if same_name else " ").join(half for half, _ in chosen)
