"""`clearsight doctor --cpu` and `--gpu`: the checks of the hardware, a line for each."""

import json

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from clearsight.commands.terminal import UsageError, notes, reported


def check_hardware(cpu: bool, gpu: bool, seconds: float | None, as_json: bool) -> None:
    """Run the checks of the processor, of every GPU, or both; exit code 1 when one fails."""
    with reported(as_json):
        import torch

        from clearsight.training.hardware import Finding, examine, to_json

        devices = [torch.device("cpu")] if cpu else []
        if gpu:
            if not torch.cuda.is_available():
                raise UsageError("PyTorch sees no GPU here; check the driver, or use --cpu")
            devices += [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
        found: dict[str, list[Finding]] = {}
        with Progress(console=notes, disable=as_json, transient=True) as progress:
            for device in devices:
                task = progress.add_task(str(device), total=1.0)

                def show(what: str, share: float, task=task, device=device) -> None:
                    progress.update(task, completed=share, description=f"{device}: {what}")

                found[str(device)] = examine(device, seconds=seconds, progress=show)
                progress.update(task, completed=1.0, description=str(device))
        if as_json:
            print(json.dumps({device: to_json(findings) for device, findings in found.items()}))
        else:
            console = Console(highlight=False)
            for device, findings in found.items():
                console.print(f"[bold]{device}[/bold]")
                for finding in findings:
                    mark = "[green]ok[/green]" if finding.passed else "[red]no[/red]"
                    console.print(
                        f"{mark}  {escape(finding.check)}: {escape(finding.sentence)}", soft_wrap=True
                    )
        if not all(finding.passed for findings in found.values() for finding in findings):
            raise typer.Exit(1)
