"""Every setting of torch changed as users change it, and what a fit sees of them."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from sktune.execution.guards._torch_settings import TorchSettings
from sktune.execution.guards._torch_table import SETTINGS, UNREADABLE

backends = torch.backends


_ENTERED = []  # contexts, each of which is left when it is forgotten


def _prefer_math() -> None:
    kernels = [SDPBackend.MATH, SDPBackend.FLASH_ATTENTION]
    _ENTERED.append(sdpa_kernel(kernels, set_priority=True))
    _ENTERED[-1].__enter__()


def _set(owner: Any, name: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(owner, name, value)


class Known:
    """A class that files of weights may hold."""


# By the names of the settings; what a build cannot change is left as it is.
CHANGES: dict[str, Callable[[], Any]] = {
    "torch.set_default_dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch.set_float32_matmul_precision": (
        lambda: torch.set_float32_matmul_precision("high")
    ),
    "torch.backends.cudnn.allow_tf32": _set(backends.cudnn, "allow_tf32", False),
    "torch.backends.fp32_precision": _set(backends, "fp32_precision", "ieee"),
    "torch.backends.cuda.matmul.fp32_precision": _set(
        backends.cuda.matmul, "fp32_precision", "ieee"
    ),
    "torch.backends.cudnn.fp32_precision": _set(
        backends.cudnn, "fp32_precision", "tf32"
    ),
    "torch.backends.cudnn.conv.fp32_precision": _set(
        backends.cudnn.conv, "fp32_precision", "ieee"
    ),
    "torch.backends.cudnn.rnn.fp32_precision": _set(
        backends.cudnn.rnn, "fp32_precision", "ieee"
    ),
    "torch.backends.mkldnn.fp32_precision": _set(
        backends.mkldnn, "fp32_precision", "bf16"
    ),
    **{
        f"torch.backends.mkldnn.{op}.fp32_precision": _set(
            getattr(backends.mkldnn, op), "fp32_precision", "bf16"
        )
        for op in ("matmul", "conv", "rnn")
    },
    "torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction": _set(
        backends.cuda.matmul, "allow_fp16_reduced_precision_reduction", False
    ),
    "torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction": _set(
        backends.cuda.matmul, "allow_bf16_reduced_precision_reduction", False
    ),
    "torch.backends.cuda.matmul.allow_fp16_accumulation": _set(
        backends.cuda.matmul, "allow_fp16_accumulation", True
    ),
    "torch.autocast('cpu')": (
        lambda: torch.autocast("cpu", dtype=torch.float16).__enter__()
    ),
    "torch.autocast('cuda')": (
        lambda: torch.set_autocast_dtype("cuda", torch.bfloat16)
    ),
    "torch.set_autocast_cache_enabled": lambda: torch.set_autocast_cache_enabled(False),
    "torch.use_deterministic_algorithms": (
        lambda: torch.use_deterministic_algorithms(True, warn_only=True)
    ),
    "torch.utils.deterministic.fill_uninitialized_memory": _set(
        torch.utils.deterministic, "fill_uninitialized_memory", False
    ),
    "torch.set_default_device": lambda: torch.set_default_device("meta"),
    "torch.set_grad_enabled": lambda: torch.set_grad_enabled(False),
    "torch.set_flush_denormal": lambda: torch.set_flush_denormal(True),
    "torch.autograd.set_detect_anomaly": (
        lambda: torch.autograd.set_detect_anomaly(True, check_nan=False)
    ),
    "torch.sparse.check_sparse_tensor_invariants": (
        torch.sparse.check_sparse_tensor_invariants.enable
    ),
    "torch.set_warn_always": lambda: torch.set_warn_always(True),
    "torch.distributions.Distribution.set_default_validate_args": (
        lambda: torch.distributions.Distribution.set_default_validate_args(False)
    ),
    "torch.serialization.add_safe_globals": (
        lambda: torch.serialization.add_safe_globals([Known])
    ),
    "torch.__future__.set_overwrite_module_params_on_conversion": (
        lambda: torch.__future__.set_overwrite_module_params_on_conversion(True)
    ),
    "torch.__future__.set_swap_module_params_on_conversion": (
        lambda: torch.__future__.set_swap_module_params_on_conversion(True)
    ),
    "torch.backends.cudnn.enabled": _set(backends.cudnn, "enabled", False),
    "torch.backends.cudnn.benchmark": _set(backends.cudnn, "benchmark", True),
    "torch.backends.cudnn.deterministic": _set(backends.cudnn, "deterministic", True),
    "torch.backends.cudnn.depthwise_kernel": _set(
        backends.cudnn, "depthwise_kernel", "cudnn"
    ),
    "torch.backends.mkldnn.enabled": _set(backends.mkldnn, "enabled", False),
    "torch.backends.mkldnn.deterministic": _set(backends.mkldnn, "deterministic", True),
    "torch.backends.miopen.immediate": _set(backends.miopen, "immediate", True),
    "torch.backends.quantized.engine": _set(
        backends.quantized, "engine", backends.quantized.supported_engines[0]
    ),
    "torch.backends.opt_einsum": _set(backends.opt_einsum, "enabled", False),
    "torch.backends.nnpack.set_flags": lambda: backends.nnpack.set_flags(False),
    "torch.backends.mha.set_fastpath_enabled": (
        lambda: backends.mha.set_fastpath_enabled(False)
    ),
    "torch.backends.python_native": (
        lambda: backends.python_native.disable_operations("scaled_mm")
    ),
    "torch.nn.attention.sdpa_kernel": lambda: _prefer_math(),
    "torch.backends.cuda.enable_flash_sdp": (
        lambda: backends.cuda.enable_flash_sdp(False)
    ),
    "torch.backends.cuda.enable_mem_efficient_sdp": (
        lambda: backends.cuda.enable_mem_efficient_sdp(False)
    ),
    "torch.backends.cuda.enable_math_sdp": lambda: backends.cuda.enable_math_sdp(False),
    "torch.backends.cuda.enable_cudnn_sdp": (
        lambda: backends.cuda.enable_cudnn_sdp(False)
    ),
    "torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp": (
        lambda: backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    ),
}

# These need a GPU, another build of torch, or have no public name to set them by.
ELSEWHERE = {
    "torch.backends.cudnn.benchmark_limit",
    "torch.backends.mkldnn.allow_tf32",
    "torch.backends.cuda.preferred_blas_library",
    "torch.backends.cuda.preferred_linalg_library",
    "torch.backends.cuda.preferred_rocm_fa_library",
    "torch.backends.cuda.enable_fa3_sdp",
    "torch.backends.cuda.enable_overrideable_sdp",
    "torch.cuda.set_device",
    *(() if backends.opt_einsum.is_available() else ("torch.backends.opt_einsum",)),
    *(
        f"torch.autocast({device!r})"
        for device in ("mps", "xpu", "hpu", "xla", "mtia", "maia", "privateuseone")
    ),
}


@contextmanager
def restored() -> Iterator[None]:
    """Let this thread's settings be afterwards what they were."""
    with TorchSettings.read().in_force(of_thread=False):
        yield


def seen() -> dict[str, float]:
    """A number for each setting as this thread has it, and for what else there is."""
    found = {setting.name: setting.read() for setting in SETTINGS}
    found["inference"] = torch.is_inference_mode_enabled()
    found["nesting"] = torch.is_autocast_enabled("cpu") and _nesting()
    found["numpy"] = sorted(np.geterr().items())
    found["compiler"] = _option("torch._dynamo.config", "capture_scalar_outputs")
    stance = sys.modules.get("torch._dynamo.eval_frame")
    found["stance"] = getattr(stance, "_stance", None) or "default"
    return {
        name: float(zlib.crc32(_text(value).encode()))
        for name, value in found.items()
        if value is not UNREADABLE
    }


def _nesting() -> bool:
    torch.autocast_increment_nesting()
    return torch.autocast_decrement_nesting() > 0


def _option(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, False)


def _text(value: Any) -> str:
    if isinstance(value, frozenset):
        return str(sorted(one.__qualname__ for one in value))
    return "default" if "stance='default'" in str(value) else str(value)


def report(estimator: Any, X: Any, y: Any = None) -> dict[str, float]:
    """A scorer."""
    return seen()
