"""`python -m lab.tools.image_digests`: pins the base images in images.lock, as the registry has them today."""

import click
from docker.errors import DockerException

from lab.backends.docker.balancer import IMAGES as BALANCERS
from lab.backends.docker.bases import LOCK, named_in
from lab.backends.docker.engine import connect
from lab.checkout import ROOT

HEAD = "".join(line for line in LOCK.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("#"))


def base_images() -> list[str]:
    """Every public image that a Dockerfile of the lab or a balancer names."""
    dockerfiles = [*ROOT.glob("*/Dockerfile"), *ROOT.glob("*/*/Dockerfile"), *ROOT.glob("lab/*/*/Dockerfile")]
    named = {name for file in dockerfiles for name in named_in(file.read_text(encoding="utf-8"))}
    return sorted(named | set(BALANCERS.values()))


@click.command(help=__doc__)
@click.option("--names", is_flag=True, help="Print the images' names, and write nothing.")
def main(names: bool) -> None:
    if names:
        click.echo("\n".join(base_images()))
        return
    engine = connect()
    lines = []
    for name in base_images():
        try:
            lines.append(f"{name} {engine.images.get_registry_data(name).id}\n")
        except DockerException as error:
            raise click.ClickException(f"{name}: no registry told its digest: {error}\nnothing was written") from error
    LOCK.write_text(HEAD + "".join(lines), encoding="utf-8")
    click.echo(f"{LOCK.name}: {len(lines)} images")


if __name__ == "__main__":
    main()
