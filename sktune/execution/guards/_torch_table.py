"""Settings of torch that change what a net computes: how each is read, and set.

Some hold in the whole process, some in one thread alone, such as autocast and the
default device. Reading them begins no CUDA and imports nothing. Names are those by
which users set them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sktune._errors import EstimatorError

# Of a setting whose first value differs between machines, so that it says nothing.
_ANY: Any = object()
# Of a setting that this torch lacks, or that it refuses to tell after it was set in
# part by torch's older and in part by its newer names; the newer ones can be read then.
UNREADABLE: Any = object()

# Kinds of devices, and the dtype of each where nobody has chosen another.
_AUTOCAST = {
    **dict.fromkeys(("cpu", "hpu", "xla", "maia"), "torch.bfloat16"),
    **dict.fromkeys(("cuda", "mps", "xpu", "mtia", "privateuseone"), "torch.float16"),
}
_FP32 = {
    "torch.backends.fp32_precision": ("generic", "all"),
    "torch.backends.cudnn.fp32_precision": ("cuda", "all"),
    "torch.backends.cuda.matmul.fp32_precision": ("cuda", "matmul"),
    "torch.backends.cudnn.conv.fp32_precision": ("cuda", "conv"),
    "torch.backends.cudnn.rnn.fp32_precision": ("cuda", "rnn"),
    "torch.backends.mkldnn.fp32_precision": ("mkldnn", "all"),
    "torch.backends.mkldnn.matmul.fp32_precision": ("mkldnn", "matmul"),
    "torch.backends.mkldnn.conv.fp32_precision": ("mkldnn", "conv"),
    "torch.backends.mkldnn.rnn.fp32_precision": ("mkldnn", "rnn"),
}
_SMALLEST = sys.float_info.min


@dataclass(frozen=True)
class TorchSetting:
    """One setting.

    Attributes
    ----------
    name : str
    get : callable
        ``get(torch)``.
    set : callable
        ``set(torch, value)``.
    default : object
        What it is where nobody has set it.
    of_thread : bool
        Whether it holds in one thread alone.
    is_precision : bool
        Whether it says with how many digits a net computes, and not only by which
        kernels, or what is an error.
    """

    name: str
    get: Callable[[Any], Any]
    set: Callable[[Any, Any], Any]
    default: Any
    of_thread: bool = False
    is_precision: bool = False

    def is_changed(self, value: Any) -> bool:
        """Whether that value is another than the one that torch begins with."""
        return self.default is not _ANY and str(value) != str(self.default)

    def read(self) -> Any:
        """Its value now."""
        try:
            return self.get(sys.modules["torch"])
        except (AttributeError, RuntimeError):
            return UNREADABLE

    def write(self, value: Any) -> None:
        """Set it; what only chooses a kernel that is not here chooses nothing."""
        try:
            self.set(sys.modules["torch"], value)
        except Exception as error:
            if self.name.startswith("torch.backends.") and not self.is_precision:
                return
            raise EstimatorError(
                f"{self.name} is {value!r} where fit was called, and cannot be set in "
                f"a worker ({type(error).__name__}: {error}). Set it back before fit, "
                "or use n_jobs=1."
            ) from error


def _attribute(path: str, default: Any, **kwargs: Any) -> TorchSetting:
    parent, _, name = path.rpartition(".")

    def write(torch: Any, value: Any) -> None:
        setattr(attrgetter(parent)(torch), name, value)

    return TorchSetting(f"torch.{path}", attrgetter(path), write, default, **kwargs)


def _functions(
    name: str, get: str, set: str, default: Any, **kwargs: Any
) -> TorchSetting:
    def read(torch: Any) -> Any:
        value = attrgetter(get)(torch)()
        return tuple(value) if isinstance(value, list) else value

    def write(torch: Any, value: Any) -> None:
        value = list(value) if isinstance(value, tuple) else value
        attrgetter(set)(torch)(value)

    return TorchSetting(f"torch.{name}", read, write, default, **kwargs)


def _pair(name: str, default: Any, **kwargs: Any) -> TorchSetting:
    """By functions of one name, but for ``get_`` and ``set_``."""
    return _functions(name, name.replace("set_", "get_"), name, default, **kwargs)


def _fp32(name: str, backend: str, op: str) -> TorchSetting:
    # Not by attributes: one of these sets another than it reads, another is missing.
    return TorchSetting(
        name,
        lambda torch: torch._C._get_fp32_precision_getter(backend, op),
        lambda torch, value: torch._C._set_fp32_precision_setter(backend, op, value),
        # By default, convolutions and recurrent nets are of less precision on CUDA.
        "tf32" if backend == "cuda" and op in ("conv", "rnn") else "none",
        is_precision=True,
    )


def _autocast(device: str, dtype: str) -> TorchSetting:
    def read(torch: Any) -> Any:
        return torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)

    def write(torch: Any, value: Any) -> None:
        torch.set_autocast_enabled(device, value[0])
        torch.set_autocast_dtype(device, value[1])

    name, default = f"torch.autocast({device!r})", f"(False, {dtype})"
    return TorchSetting(name, read, write, default, of_thread=True, is_precision=True)


def _get_device(torch: Any) -> str | None:
    # `torch.get_default_device` makes a tensor on the device, which begins CUDA.
    modes = torch.overrides._get_current_function_mode_stack()
    for mode in reversed(modes):
        if isinstance(mode, torch.utils._device.DeviceContext):
            return str(mode.device)
    return None


def _get_cuda_device(torch: Any) -> int:
    return torch.cuda.current_device() if torch.cuda.is_initialized() else 0


def _set_cuda_device(torch: Any, index: int) -> None:
    # Where there is no such device, a net that needs it says so.
    with suppress(AssertionError, AttributeError, RuntimeError):
        torch.cuda.set_device(index)


def _flushes_denormals(torch: Any) -> bool:
    return _SMALLEST / 2 == 0


def _get_deterministic(torch: Any) -> tuple[bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _set_deterministic(torch: Any, value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _get_anomaly(torch: Any) -> tuple[bool, bool]:
    return torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()


def _set_sparse_checks(torch: Any, value: bool) -> None:
    checks = torch.sparse.check_sparse_tensor_invariants
    (checks.enable if value else checks.disable)()


def _get_safe_globals(torch: Any) -> frozenset[Any]:
    """Those of the user; torch adds some of its own as it is imported."""
    return frozenset(
        one
        for one in torch.serialization.get_safe_globals()
        if not str(getattr(one, "__module__", "")).startswith("torch.")
    )


def _set_safe_globals(torch: Any, value: frozenset[Any]) -> None:
    own = set(torch.serialization.get_safe_globals()) - _get_safe_globals(torch)
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals([*own, *value])


def _get_einsum(torch: Any) -> tuple[bool, Any]:
    einsum = torch.backends.opt_einsum
    return einsum.enabled, einsum.strategy


def _set_einsum(torch: Any, value: tuple[bool, Any]) -> None:
    torch.backends.opt_einsum.enabled = value[0]
    if value[0]:
        torch.backends.opt_einsum.strategy = value[1]


def _get_filters(torch: Any) -> tuple[tuple[str, ...], ...]:
    filters = torch._native.registry._filter_state
    kinds = filters._dsl_names, filters._op_symbols, filters._dispatch_keys
    return tuple(tuple(sorted(kind)) for kind in kinds)


def _set_filters(torch: Any, value: tuple[tuple[str, ...], ...]) -> None:
    registry, before = torch._native.registry, _get_filters(torch)
    kinds = ("dsl_names", "op_symbols", "dispatch_keys")
    registry.reenable_op_overrides(
        **{
            f"enable_{kind}": list(names)
            for kind, names in zip(kinds, before, strict=True)
        }
    )
    registry.deregister_op_overrides(
        **{
            f"disable_{kind}": list(names)
            for kind, names in zip(kinds, value, strict=True)
        }
    )


def _reduction(dtype: str) -> TorchSetting:
    """Whether cuBLAS may add up in that dtype, and in pieces."""
    stem = f"cublas_allow_{dtype}_reduced_precision_reduction"
    return TorchSetting(
        f"torch.backends.cuda.matmul.allow_{dtype}_reduced_precision_reduction",
        lambda torch: getattr(torch._C, f"_get_{stem}")(),
        lambda torch, value: getattr(torch._C, f"_set_{stem}")(*value),
        (True, True),
        is_precision=True,
    )


def _library(name: str, default: str) -> TorchSetting:
    def choose(torch: Any) -> Any:
        return getattr(torch.backends.cuda, f"preferred_{name}_library")

    return TorchSetting(
        f"torch.backends.cuda.preferred_{name}_library",
        lambda torch: choose(torch)().name.lower(),
        lambda torch, value: choose(torch)(value),
        default,
    )


def _sdp(kernel: str, get: str, set: str, default: Any = True) -> TorchSetting:
    name = f"backends.cuda.enable_{kernel}_sdp"
    return _functions(name, f"_C._get_{get}", f"_C._set_{set}", default)


# In the order in which they are set: older names of a precision before its newer ones,
# and what is for all before what is for one.
SETTINGS: tuple[TorchSetting, ...] = (
    _pair("set_default_dtype", "torch.float32", is_precision=True),
    _pair("set_float32_matmul_precision", "highest", is_precision=True),
    _attribute("backends.cudnn.allow_tf32", True, is_precision=True),
    _attribute("backends.mkldnn.allow_tf32", _ANY, is_precision=True),
    *(_fp32(name, *of) for name, of in _FP32.items()),
    _reduction("fp16"),
    _reduction("bf16"),
    _attribute(
        "backends.cuda.matmul.allow_fp16_accumulation", False, is_precision=True
    ),
    *(_autocast(device, dtype) for device, dtype in _AUTOCAST.items()),
    _functions(
        "set_autocast_cache_enabled",
        "is_autocast_cache_enabled",
        "set_autocast_cache_enabled",
        True,
        of_thread=True,
    ),
    TorchSetting(
        "torch.use_deterministic_algorithms",
        _get_deterministic,
        _set_deterministic,
        (False, False),
    ),
    _attribute("utils.deterministic.fill_uninitialized_memory", True),
    TorchSetting(
        "torch.set_default_device",
        _get_device,
        lambda torch, value: torch.set_default_device(value),
        None,
        of_thread=True,
    ),
    TorchSetting(
        "torch.cuda.set_device", _get_cuda_device, _set_cuda_device, 0, of_thread=True
    ),
    _functions(
        "set_grad_enabled",
        "is_grad_enabled",
        "_C._set_grad_enabled",
        True,
        of_thread=True,
    ),
    TorchSetting(
        "torch.set_flush_denormal",
        _flushes_denormals,
        lambda torch, value: torch.set_flush_denormal(value),
        False,
        of_thread=True,
    ),
    TorchSetting(
        "torch.autograd.set_detect_anomaly",
        _get_anomaly,
        lambda torch, value: torch.set_anomaly_enabled(*value),
        (False, True),
    ),
    TorchSetting(
        "torch.sparse.check_sparse_tensor_invariants",
        lambda torch: torch.sparse.check_sparse_tensor_invariants.is_enabled(),
        _set_sparse_checks,
        False,
    ),
    _functions("set_warn_always", "is_warn_always_enabled", "set_warn_always", False),
    TorchSetting(
        "torch.distributions.Distribution.set_default_validate_args",
        lambda torch: torch.distributions.Distribution._validate_args,
        lambda torch, value: torch.distributions.Distribution.set_default_validate_args(
            value
        ),
        __debug__,
    ),
    TorchSetting(
        "torch.serialization.add_safe_globals",
        _get_safe_globals,
        _set_safe_globals,
        _ANY,
    ),
    _pair("__future__.set_overwrite_module_params_on_conversion", False),
    _pair("__future__.set_swap_module_params_on_conversion", False),
    *(
        _attribute(f"backends.cudnn.{name}", default)
        for name, default in (
            ("enabled", True),
            ("benchmark", False),
            ("benchmark_limit", _ANY),
            ("deterministic", False),
            ("depthwise_kernel", "auto"),
        )
    ),
    _attribute("backends.mkldnn.enabled", True),
    _attribute("backends.mkldnn.deterministic", False),
    _attribute("backends.miopen.immediate", False),
    _attribute("backends.quantized.engine", _ANY),
    TorchSetting("torch.backends.opt_einsum", _get_einsum, _set_einsum, _ANY),
    _functions(
        "backends.nnpack.set_flags",
        "_C._get_nnpack_enabled",
        "_C._set_nnpack_enabled",
        True,
    ),
    _pair("backends.mha.set_fastpath_enabled", True),
    TorchSetting(
        "torch.backends.python_native", _get_filters, _set_filters, ((), (), ())
    ),
    _library("blas", "cublas"),
    _library("linalg", "default"),
    _library("rocm_fa", "default"),
    _sdp("flash", "flash_sdp_enabled", "sdp_use_flash"),
    _sdp("mem_efficient", "mem_efficient_sdp_enabled", "sdp_use_mem_efficient"),
    _sdp("math", "math_sdp_enabled", "sdp_use_math"),
    _sdp("cudnn", "cudnn_sdp_enabled", "sdp_use_cudnn"),
    _sdp("fa3", "fa3_sdp_enabled", "sdp_use_fa3", False),
    _sdp("overrideable", "overrideable_sdp_enabled", "sdp_use_overrideable"),
    _functions(
        "backends.cuda.allow_fp16_bf16_reduction_math_sdp",
        "_C._get_math_sdp_allow_fp16_bf16_reduction",
        "_C._set_math_sdp_allow_fp16_bf16_reduction",
        False,
    ),
    _functions(
        "nn.attention.sdpa_kernel",
        "_C._get_sdp_priority_order",
        "_C._set_sdp_priority_order",
        _ANY,
    ),
)
