"""Which dtype a device computes in fastest without losing the answer."""

import torch


def native_dtype(device: torch.device | str = "cpu") -> torch.dtype:
    """bfloat16 where products in it are native (AMX, AVX512-BF16, most accelerators), else float32."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu":
        if not hasattr(torch.cpu, "get_capabilities"):
            return torch.float32
        capabilities = torch.cpu.get_capabilities()
        return (
            torch.bfloat16
            if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
            else torch.float32
        )
    return torch.float32


def autocast(device: torch.device | str) -> torch.autocast:
    """Mixed precision for training where it is native; where it is emulated (20 times slower), float32."""
    device = torch.device(device)
    dtype = native_dtype(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16)
