"""Functions in Java: one program for all of its clients, on AWS's runtime interface client."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.errors import EnvironmentLacks
from lab.functions.definition import APP, Definition
from lab.functions.language import Language, Toolchain, register
from lab.functions.program import Built, Image, built, run

JAVA = APP / "java"
SOURCES = ("lambda_app/java/pom.xml", "lambda_app/java/src")
IMAGE = Image("thawlab-function-java", "lambda_app/java/Dockerfile", (*SOURCES, "lambda_app/shims"))
FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Xmx256m",
    "-XX:-UsePerfData",  # a file in /tmp, which a killed process leaves behind
    "-XX:ErrorFile=/dev/null",
    "-XX:+UnlockDiagnosticVMOptions",  # for the next two
    "-XX:AsyncDeflationInterval=5000",  # else a thread wakes up four times a second, and clocks that jump stop as often
    "-XX:GuaranteedSafepointInterval=0",
    "-Djava.net.preferIPv4Stack=true",  # its sockets are IPv4 ones, as those of the other languages are
)
"""For a small process that starts in half a second; none of it changes what a client does with its connections."""
NATIVE = "com.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI"
"""Where the runtime client finds its library. Else it unpacks it into /tmp: in a container nothing is executed from
there, and processes that start side by side would overwrite each other's."""
PASSED = (
    *("HOME", "PATH", "LANG", "JAVA_HOME", "MAVEN_OPTS", "MAVEN_ARGS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
"""What Maven may need of the environment."""


def _start(java: str, folder: Path, library: Path) -> Built:
    return Built((java, *FLAGS, f"-D{NATIVE}={library}", "-cp", f"{folder}/*"))


@dataclass(frozen=True, slots=True)
class Java:
    """The jars of all clients and of the runtime client, and the runtime client's own library."""

    image: Image = IMAGE

    @property
    def in_image(self) -> Built:
        task = Path("/var/task")
        return _start("java", task, task / "libaws-lambda-jni.so")

    def here(self) -> Built:
        folder = built("java", SOURCES, _package)
        machine = {"aarch64": "aarch_64"}.get(platform.machine(), platform.machine())
        home = os.environ.get("JAVA_HOME")  # the Java that Maven compiled with
        return _start(
            f"{home}/bin/java" if home else "java", folder, folder / "jni" / f"libaws-lambda-jni.linux-{machine}.so"
        )


def _package(work: Path, target: Path) -> None:
    environment = {name: os.environ[name] for name in PASSED if name in os.environ}
    # A JVM reads paths in the locale's encoding, and a checkout's may have any letter.
    environment["LC_ALL"] = "C.UTF-8"
    project = work / "lambda_app" / "java"
    try:
        run("mvn", "-q", "-B", "-Dstyle.color=never", "package", cwd=project, environment=environment)
    except EnvironmentLacks as error:
        # Maven's last line names a page about its errors instead of the error.
        hint = f"\ntry: mvn -q -f {JAVA / 'pom.xml'} package" if shutil.which("mvn") else ""
        raise EnvironmentLacks(f"{error}{hint}") from None
    shutil.copytree(project / "target" / "app", target, dirs_exist_ok=True)


MAIN = ("com.amazonaws.services.lambda.runtime.api.client.AWSLambda", "thawlab.Handler")
NOTES = JAVA / "notes"
PRESETS = JAVA / "src" / "main" / "java" / "thawlab" / "presets"

DEFINITIONS = (
    Definition(
        client="jdk-http",
        language="java",
        program=Java(),
        shapes={"loop": MAIN},  # a thread of the client's waits for all of its sockets all the time
        presets=PRESETS / "jdkhttp",
        notes=NOTES / "jdk-http.yaml",
        two_writes=True,
        may_name_none=True,
        contract={"tells_no_attempts": True},  # it has no way to say which connection it took
        one_preset=True,  # system properties are read once
        needs=("java",),
    ),
    Definition(
        client="apache-http",
        language="java",
        program=Java(),
        shapes={"sync": MAIN},
        presets=PRESETS / "apachehttp",
        notes=NOTES / "apache-http.yaml",
        needs=("java",),
    ),
    Definition(
        client="okhttp",
        language="java",
        program=Java(),
        shapes={"sync": MAIN},
        presets=PRESETS / "okhttp",
        notes=NOTES / "okhttp.yaml",
        # RetryAndFollowUpInterceptor: a pooled connection that failed does not make it give up the address.
        contract={"sends": {"reused": 2}},
        needs=("java",),
    ),
)

LANGUAGE = register(
    Language("java", {".java": "java"}, DEFINITIONS, Toolchain("a JDK and Maven", ("javac", "mvn")), place=4)
)
