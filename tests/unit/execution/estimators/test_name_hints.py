import pytest

from sktune.execution.estimators._name_hints import hint, nearest_names, shown

NAMES = [
    "lr",
    "batch_size",
    "max_epochs",
    "module__hidden",
    "module__dropout",
    "optimizer__weight_decay",
    "iterator_train__shuffle",
    "iterator_valid__shuffle",
    "callbacks__stop",
    "callbacks__stop__patience",
    "callbacks__train_loss",
    "callbacks__print_log__sink",
]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("max_epoch", ["max_epochs"]),
        ("Max_Epochs", ["max_epochs"]),
        ("hiden", ["module__hidden"]),
        ("module_hidden", ["module__hidden"]),
        ("clf__lr", ["lr"]),
        ("patience", ["callbacks__stop__patience"]),
        ("stpo__patiense", ["callbacks__stop__patience"]),
        ("callbacks__patience", ["callbacks__stop__patience"]),
        ("shuffle", ["iterator_train__shuffle", "iterator_valid__shuffle"]),
        ("callbacks__lr__max_lr", []),
        ("zzz", []),
    ],
)
def test_nearest_names(name, nearest):
    assert nearest_names(name, NAMES) == nearest


def test_nearer_the_fewer_levels_are_left_out():
    names = ["net__callbacks__lr", "net__lr", "net__optimizer__lr"]
    assert nearest_names("lr", names) == ["net__lr"]


def test_hints_are_sentences():
    assert hint("zzz", NAMES) == ""
    assert hint("hiden", NAMES) == " Did you mean 'module__hidden'?"
    assert hint("shuffle", NAMES) == (
        " Did you mean 'iterator_train__shuffle' or 'iterator_valid__shuffle'?"
    )


def test_long_lists_are_cut_to_the_nearest():
    assert shown(["b", "a"]) == "['a', 'b']"
    names = [f"{letter}_size" for letter in "abcdefghijklmnopqrst"]
    listed = shown(names, "t_siz")
    assert "'t_size'" in listed
    assert listed.count("_size") == 6
    assert listed.endswith("and 14 more, see get_params()")
