# The operator node: docker build -f deploy/docker/node.Dockerfile -t phalanx-node .
# From the checkout's root, for amd64 and arm64 (docker buildx build --platform linux/arm64 ...).
# Every Python package is checked against the hashes in requirements/. The image holds no key:
# settings and key come as a read-only folder at /config, what the node writes goes to /data.

FROM python:3.11-slim AS build

# fastecdsa, through libp2p, has no Linux wheel; g++ brings the C library's headers.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc g++ libgmp-dev \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /build
# A read-only image cannot keep bytecode later.
ENV UV_COMPILE_BYTECODE=1

COPY requirements requirements
RUN python -m venv /opt/uv \
 && /opt/uv/bin/python -m pip install --require-hashes -r requirements/uv.txt

COPY pyproject.toml ./
RUN python -m venv --without-pip /opt/phalanx \
 && /opt/uv/bin/uv pip install --python /opt/phalanx/bin/python \
      --constraints requirements/runtime.txt \
      --build-constraints requirements/build.txt --require-build-hashes \
      -r pyproject.toml --extra node

COPY README.md LICENSE NOTICE ./
COPY sdk sdk
COPY indexer indexer
COPY operator_node operator_node
RUN /opt/uv/bin/uv pip install --python /opt/phalanx/bin/python --no-deps \
      --build-constraints requirements/dev.txt --require-build-hashes .


FROM python:3.11-slim

# What fastecdsa is linked against.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgmp10 \
 && rm -rf /var/lib/apt/lists/*
# A fixed number, so that the owner of key files on the host can be set to it.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin phalanx \
 && install -d -o phalanx -g phalanx -m 0700 /data

COPY --from=build /opt/phalanx /opt/phalanx

# Inside the container; which ports anybody reaches is the host's decision. The API shows no key.
ENV PATH=/opt/phalanx/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DB_PATH=/data/db \
    LOG_FILE_PATH=/data/node.log \
    SSV_API_ADDRESS=0.0.0.0 \
    SSV_API_PORT=16000 \
    METRICS_API_PORT=15000

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 13001 15000 16000

# Alive, not ready: starting a node anew because its beacon node is away would only cost duties.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-I", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:16000/livez', timeout=4)"]
# Ends after the duties of the slot; see stop_grace_period in deploy/compose/operator.yml.
STOPSIGNAL SIGTERM

ENTRYPOINT ["phalanx", "node"]
CMD ["run", "--config", "/config/node.yaml"]
