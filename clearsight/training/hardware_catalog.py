"""What accelerators can do at most, from their makers' data sheets.

Peaks are of dense products, half of what data sheets print where they count structured sparsity. Memory is what the
driver reports, a little less than what is soldered on. Links are to other accelerators of the same node, in one
direction; data sheets print both together. Boards that run below the sheet's power limit reach less.

Left out: the network between nodes, which belongs to the cluster and not to the accelerator.
"""

from dataclasses import dataclass

import torch

TERA, GIGA = 1e12, 1e9


@dataclass(frozen=True)
class Accelerator:
    """One kind. Peaks in FLOP/s, memory in GiB, bandwidths in bytes/s; `words` all occur in the device's name."""

    name: str
    words: tuple[str, ...]
    bf16: float
    tf32: float
    fp32: float
    hbm_gib: float
    hbm_bandwidth: float
    link_bandwidth: float
    source: str

    def peak(self, dtype: torch.dtype) -> float:
        """FLOP/s of dense products: of tensor cores in 16 bits, and in 32 bits as PyTorch is set to compute them."""
        if dtype in (torch.bfloat16, torch.float16):
            return self.bf16
        return self.fp32 if torch.get_float32_matmul_precision() == "highest" else self.tf32


def _accelerator(
    name: str,
    words: str,
    peaks: tuple[float, float, float],
    memory: tuple[float, float],
    link: float,
    source: str,
) -> Accelerator:
    """Figures as data sheets print them: teraflops (bf16, tf32, fp32), (GiB, GB/s), GB/s."""
    bf16, tf32, fp32 = (peak * TERA for peak in peaks)
    return Accelerator(
        name, tuple(words.split()), bf16, tf32, fp32, memory[0], memory[1] * GIGA, link * GIGA, source
    )


CATALOG = (
    # Special boards stand before the general name they share.
    _accelerator(
        "GB200",
        "GB200",
        (2500, 1250, 80),
        (184, 8000),
        900,
        "NVIDIA GB200 NVL72 data sheet, half of the figures with sparsity",
    ),
    _accelerator(
        "B200",
        "B200",
        (2250, 1125, 75),
        (179, 7700),
        900,
        "NVIDIA HGX B200 data sheet, an eighth of the board and half of the figures with sparsity",
    ),
    _accelerator(
        "H200", "H200", (989.5, 494.7, 66.9), (139.8, 4800), 450, "NVIDIA H200 data sheet, SXM column"
    ),
    _accelerator(
        "H100 NVL", "H100 NVL", (835.5, 417.5, 60), (93.6, 3900), 300, "NVIDIA H100 data sheet, NVL column"
    ),
    _accelerator(
        "H100 PCIe",
        "H100 PCIe",
        (756, 378, 51),
        (79.6, 2000),
        64,
        "NVIDIA H100 product brief, PCIe; without an NVLink bridge",
    ),
    _accelerator(
        "H100", "H100", (989.5, 494.7, 66.9), (79.6, 3350), 450, "NVIDIA H100 data sheet, SXM column"
    ),
    _accelerator(
        "A100 80GB PCIe",
        "A100 80GB PCIe",
        (312, 156, 19.5),
        (79.3, 1935),
        32,
        "NVIDIA A100 data sheet, PCIe column; without an NVLink bridge",
    ),
    _accelerator(
        "A100 80GB", "A100 80GB", (312, 156, 19.5), (79.3, 2039), 300, "NVIDIA A100 data sheet, SXM column"
    ),
    _accelerator(
        "A100 40GB", "A100", (312, 156, 19.5), (39.6, 1555), 300, "NVIDIA A100 40GB data sheet, SXM column"
    ),
    _accelerator(
        "L40S",
        "L40S",
        (362.05, 183, 91.6),
        (44.5, 864),
        32,
        "NVIDIA L40S data sheet; PCIe 4, no link of its own",
    ),
    _accelerator(
        "RTX 5090",
        "RTX 5090",
        (209.5, 104.8, 104.8),
        (31.8, 1792),
        64,
        "NVIDIA RTX Blackwell GPU architecture paper; sums in fp32",
    ),
    _accelerator(
        "RTX 4090",
        "RTX 4090",
        (165.2, 82.6, 82.6),
        (23.6, 1008),
        32,
        "NVIDIA Ada GPU architecture paper, appendix A; sums in fp32",
    ),
    _accelerator(
        "RTX 3090",
        "RTX 3090",
        (71, 35.6, 35.6),
        (23.6, 936),
        32,
        "NVIDIA Ampere GA102 architecture paper, appendix A; sums in fp32",
    ),
    _accelerator(
        "MI300X",
        "MI300X",
        (1307.4, 653.7, 163.4),
        (191.7, 5300),
        448,
        "AMD Instinct MI300X data sheet; seven links of 64 GB/s each way",
    ),
)


def find(name: str) -> Accelerator | None:
    """The entry for a device name such as "NVIDIA H100 80GB HBM3", or a short one such as "h100"; None if unknown."""
    wanted = name.lower().replace("-", " ")
    return next((entry for entry in CATALOG if all(word.lower() in wanted for word in entry.words)), None)
