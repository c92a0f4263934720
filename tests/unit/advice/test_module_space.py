"""Which arguments of a module are worth searching, by their names and values."""

from skorch import NeuralNet, NeuralNetClassifier
from torch import nn, optim

from sktune.advice import recommended_space
from tests.helpers.estimators import Signals, blobs, ends, net, signals

X, y = blobs(160)


def test_names_and_kinds_of_arguments():
    space = recommended_space(signals(optimizer=optim.SGD), X, y)
    assert ends(space["lr"]) == (0.005, 0.2)
    assert ends(space["optimizer__momentum"]) == (0.85, 0.98)
    assert ends(space["optimizer__weight_decay"]) == (1e-6, 1e-2)
    assert ends(space["module__dropout"]) == (0, 0.5)
    assert {k: v for k, v in space.items() if isinstance(v, list)} == {
        "batch_size": [8, 16],
        "module__n_filters": [4, 8, 16, 32, 64],
        "module__kernel_size": [1, 3, 5, 7],
        "module__num_layers": [1, 2],
        "module__hidden_sizes": [(8, 4), (16, 8), (32, 16), (64, 32)],
        "module__activation": [nn.ReLU, nn.GELU, nn.Tanh],
    }
    assert type(space) is dict


def test_what_the_user_has_set_is_in_its_range():
    space = recommended_space(
        signals(
            optimizer=optim.SGD,
            optimizer__momentum=0.5,
            optimizer__weight_decay=0.1,
            module__dropout=0.7,
            module__n_filters=100,
            module__num_layers=6,
            module__kernel_size=9,
            module__activation=nn.SiLU,
        )
    )
    assert ends(space["optimizer__momentum"]) == (0.5, 0.98)
    assert ends(space["optimizer__weight_decay"]) == (1e-6, 0.1)
    assert ends(space["module__dropout"]) == (0, 0.7)
    assert space["module__n_filters"] == [64, 128, 256, 512]
    assert space["module__num_layers"] == [3, 6, 9, 12]
    few = recommended_space(signals(module__num_layers=3))
    assert few["module__num_layers"] == [1, 2, 3, 4, 5, 6]
    assert space["module__kernel_size"] == [1, 3, 5, 7, 9]
    assert space["module__activation"] == [nn.SiLU, nn.ReLU, nn.GELU, nn.Tanh]


class Vague(nn.Module):
    """None of these is what it looks like, or not surely."""

    def __init__(
        self,
        n_hidden=2,
        hidden="wide",
        use_dropout=True,
        dropout=None,
        image_width=28,
        in_features=64,
        kernel_size=4,
        n_layers=0,
        activation="relu",
        output_activation=nn.Sigmoid,
        width=True,
        vocab_size=1000,
    ):
        super().__init__()


class HandsOn(Signals):
    def __init__(self, extra=0, **kwargs):
        super().__init__(**kwargs)


def test_what_is_not_understood_is_left_out():
    for module in (Vague, nn.Linear, nn.Identity, Signals()):
        space = recommended_space(NeuralNetClassifier(module))
        assert not any(name.startswith("module") for name in space)


def test_arguments_of_a_base_class():
    handed_on, own = (
        recommended_space(net().set_params(module=m)) for m in (HandsOn, Signals)
    )
    assert list(handed_on) == list(own)


def test_widths_can_be_shared_out_among_heads():
    class Attends(nn.Module):
        def __init__(self, d_model=48, n_heads=12):
            super().__init__()

    class Fits(nn.Module):
        def __init__(self, d_model=64, n_heads=64):
            super().__init__()

    alone = recommended_space(NeuralNet(Attends, nn.MSELoss))
    assert "module__d_model" not in alone
    space = recommended_space(NeuralNet(Fits, nn.MSELoss))
    assert space["module__d_model"] == [64, 128, 256, 512]


def test_a_net_of_several_modules():
    class Several(NeuralNetClassifier):
        def __init__(self, *args, encoder=Signals, **kwargs):
            self.encoder = encoder
            super().__init__(*args, **kwargs)

        def initialize_module(self):
            super().initialize_module()
            kwargs = self.get_params_for("encoder")
            self.encoder_ = self.initialized_instance(self.encoder, kwargs)
            return self

    space = recommended_space(Several(nn.Linear, encoder__n_filters=32))
    assert space["encoder__n_filters"] == [16, 32, 64, 128, 256]
