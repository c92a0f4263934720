"""What `devices` and `fits_per_device` mean, and what a machine has."""

from __future__ import annotations

import pickle
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sktune._errors import DeviceError
from sktune.placement import Device, Placement
from sktune.placement import _devices as devices_module

NAMES = st.sampled_from(["cpu", "cpu:0", "cpu:7", "cuda:0", "cuda:11", "mps", "xpu:1"])


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices_module, "_gpus", lambda visible: ("cuda:0", "cuda:1"))
    monkeypatch.setattr(torch.cuda, "_parse_visible_devices", lambda: [0, 1])


@pytest.mark.parametrize(
    ("devices", "fits", "expected"),
    [
        ("cuda:1", 1, (("cuda:1", 1),)),
        ("cuda", 2, (("cuda:0", 2),)),
        (torch.device("cuda", 1), 1, (("cuda:1", 1),)),
        (torch.device("cpu"), 3, (("cpu", 3),)),
        (["cuda:1", "cuda:0"], "auto", (("cuda:1", "auto"), ("cuda:0", "auto"))),
        (("cpu:0", "cpu:1"), 1, (("cpu:0", 1), ("cpu:1", 1))),
        ({"cuda:0": 2, "cuda:1": "auto"}, 1, (("cuda:0", 2), ("cuda:1", "auto"))),
        ({torch.device("cuda:0"): 2}, 1, (("cuda:0", 2),)),
        ("auto", 2, None),
    ],
)
def test_what_is_meant(devices, fits, expected):
    placement = Placement.of(devices, fits)
    assert placement.devices == expected
    assert placement.fits_per_device == (fits if devices == "auto" else 1)
    assert pickle.loads(pickle.dumps(placement)) == placement


def test_none_places_nothing():
    assert Placement.of(None) is None


@pytest.mark.parametrize(
    ("devices", "fits", "message"),
    [
        ("gpu", 1, "devices='gpu': 'gpu' is no device. Pass 'auto' for all GPUs"),
        ("cuda:x", 1, "'cuda:x' is no device"),
        ("cuda:-1", 1, "'cuda:-1' is no device"),
        ("", 1, "'' is no device"),
        (0, 1, "devices=0: 0 is no device"),
        ([0, 1], 1, "devices=[0, 1]: 0 is no device"),
        (["cuda:0", None], 1, "None is no device"),
        ([["cuda:0"]], 1, "['cuda:0'] is no device"),
        (["auto"], 1, "'auto' is no device"),
        ([], 1, "devices=[] names none. Pass devices='auto'"),
        ({}, 1, "devices={} names none"),
        (["cuda", "cuda:0"], 1, "'cuda:0' more than once.* {'cuda:0': 2}"),
        ({"cuda:0": 0}, 1, "gives 'cuda:0' 0 fits. Pass an integer of at least 1"),
        ({"cuda:0": True}, 1, "gives 'cuda:0' True fits"),
        ({"cuda:0": 2}, 2, "fits_per_device=2 is given beside devices={'cuda:0': 2}"),
        ("cuda:0", 0, "fits_per_device=0 is no number of fits. Pass an integer"),
        ("cuda:0", 1.5, "fits_per_device=1.5 is no number"),
        ("cuda:0", "all", "fits_per_device='all' is no number"),
        (None, 2, "fits_per_device=2 is of no use with devices=None"),
        (None, 0, "fits_per_device=0 is no number"),
        ("cpu", "auto", "'auto' cannot be found out for 'cpu'.* {'cpu': 1}"),
        ({"cpu:1": "auto"}, 1, "'auto' cannot be found out for 'cpu:1'"),
    ],
)
def test_what_means_nothing(devices, fits, message):
    pattern = ".*".join(re.escape(part) for part in message.split(".* "))
    with pytest.raises(DeviceError, match=pattern):
        Placement.of(devices, fits)


@given(st.lists(NAMES, min_size=1, unique=True), st.integers(1, 9))
def test_a_list_and_a_dict_mean_the_same(names, n):
    listed = Placement.of(names, n).devices
    assert listed == Placement.of(dict.fromkeys(names, n)).devices
    assert listed == tuple((name, n) for name in names)
    assert Placement.of([torch.device(name) for name in names], n).devices == listed


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NAMES,
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | NAMES, inner),
        max_leaves=6,
    ),
    st.none() | st.booleans() | st.integers(-2, 3) | st.just("auto") | st.text(),
)
def test_anything_else_is_refused_as_such(devices, fits):
    try:
        placement = Placement.of(devices, fits)
    except DeviceError as error:
        assert "devices" in str(error) or "fits_per_device" in str(error)
        return
    assert placement is None or placement.devices is None or placement.devices
    for name, n in (placement and placement.devices) or ():
        torch.device(name)
        assert n == "auto" or n >= 1


class TestHere:
    def test_every_gpu(self, two_gpus):
        assert Placement.of("auto", 2).here() == [
            Device("cuda:0", "cuda-0", 2),
            Device("cuda:1", "cuda-1", 2),
        ]

    def test_the_cpu_without_a_limit_where_there_is_none(self, monkeypatch):
        monkeypatch.setattr(devices_module, "_gpus", lambda visible: ())
        assert Placement.of("auto").here() == [Device("cpu", "cpu", None)]

    def test_a_device_that_is_not_there(self, two_gpus):
        assert [d.name for d in Placement.of(["cuda:1", "cpu"]).here()] == [
            "cuda:1",
            "cpu",
        ]
        with pytest.raises(
            DeviceError,
            match=r"cannot use 'cuda:7' on this machine. There are cuda:0, cuda:1. .*"
            r"devices='auto'",
        ):
            Placement.of(["cuda:0", "cuda:7"]).here()

    def test_searches_that_see_other_devices_agree(self, two_gpus, monkeypatch):
        monkeypatch.setattr(torch.cuda, "_parse_visible_devices", lambda: [3, 1])
        keys = [device.key for device in Placement.of("auto").here()]
        assert keys == ["cuda-3", "cuda-1"]

    def test_devices_that_are_named_by_uuid(self, two_gpus, monkeypatch):
        monkeypatch.setattr(
            torch.cuda, "_parse_visible_devices", lambda: ["GPU-5e/1", "GPU-8c"]
        )
        monkeypatch.setattr(torch.cuda, "_get_nvml_device_index", [4, 2].__getitem__)
        assert [d.key for d in Placement.of("auto").here()] == ["cuda-4", "cuda-2"]
        monkeypatch.setattr(torch.cuda, "_get_nvml_device_index", None)  # no NVML
        keys = [device.key for device in Placement.of("auto").here()]
        assert keys == ["cuda-GPU-5e_1", "cuda-GPU-8c"]


def test_cuda_is_not_initialised():
    Placement.of(["cpu", "cuda:0"])
    Placement.of("auto").here()
    assert not torch.cuda.is_initialized()


def test_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SKTUNE_DEVICE_LOCKS", str(tmp_path))
    assert Placement.of("cpu").path == tmp_path  # workers are told
    monkeypatch.delenv("SKTUNE_DEVICE_LOCKS")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert tmp_path not in Placement.of("cpu").path.parents  # all processes agree
