# The image of the service, for GPUs and CPUs; docs/run/image.md shows how to build and run it.
#   docker build -t stylize .                                  VGG-19 baked in, torch with CUDA
#   docker build --build-arg BACKBONE=vgg16 -t stylize .       VGG-16, which needs the package index only
#   docker build --build-arg WEIGHTS=mounted -t stylize .      no weights: mount a directory with them at /weights
#   docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu -t stylize:cpu .

# Any image with Python 3.11 or newer as python3, with its venv module.
ARG BASE=python:3.11-slim-bookworm


# The virtual environment, from the lock file. Rebuilt when requirements/runtime.txt changes.
FROM ${BASE} AS dependencies
# Another torch than the locked one, which brings CUDA along. TORCH_INDEX: where the locked version of torch comes
# from. TORCH: other requirements in its place, such as torch==2.13.0+cpu. Their hashes are not in the lock file, so
# these are as trustworthy as the index.
ARG TORCH_INDEX=
ARG TORCH=
# What settings ask for: heic (STYLIZE_HEIC; its decoders are LGPL), otel (traces). "" for neither.
ARG EXTRAS="heic otel"
# pip's own setting: a directory of wheels, mounted into the build.
ARG PIP_FIND_LINKS
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /build
COPY requirements/runtime.txt requirements/heic.txt requirements/otel.txt ./
# A pip.conf with credentials for an index stays out of the image: --secret id=pip.conf,src=FILE.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    set -eu; \
    python3 -m venv /opt/venv; \
    if [ -z "$TORCH$TORCH_INDEX" ]; then \
        pip install --require-hashes -r runtime.txt; \
    else \
        awk '/^[a-z]/ { of_torch = /^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==/ } \
            { print > (of_torch ? "locked-torch.txt" : "others.txt") }' runtime.txt; \
        printf '%s\n' ${TORCH:-$(grep -oE '^torch==[^ ]+' locked-torch.txt)} > torch.txt; \
        pip install --require-hashes -r others.txt; \
        pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} -r torch.txt; \
    fi; \
    for extra in $EXTRAS; do pip install --require-hashes -r "$extra.txt"; done; \
    pip check


# The weights. Only the code that fetches and calibrates them is here: other changes leave this stage alone.
FROM dependencies AS weights
ARG BACKBONE=vgg19
ARG WEIGHTS=baked
WORKDIR /app
COPY service/__init__.py service/
COPY service/style service/style
COPY service/weights service/weights
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    mkdir /weights && \
    case "$WEIGHTS" in \
        baked) /opt/venv/bin/python -c 'from service.weights.command import weights_command as main; main()' \
            "$BACKBONE" --dir /weights ;; \
        mounted) ;; \
        *) echo "WEIGHTS is $WEIGHTS: give baked or mounted" >&2; exit 1 ;; \
    esac && \
    chmod -R a+rX /weights


# The code, compiled: nobody can write bytecode later. Its validity does not hang on the times of files.
FROM ${BASE} AS code
WORKDIR /app
COPY LICENSE openapi.yaml ./
COPY service service
RUN python3 -m compileall -q --invalidation-mode unchecked-hash service && \
    chmod -R a+rX . && find service/style -name 'winograd.py' -exec touch -d '2020-01-01' {} +


# What numba compiles (service/style/network/convolution.py), for all x86-64 machines with AVX2; elsewhere it compiles
# at start. The cache is valid for a source file of the same time, which has whole seconds to survive being copied.
FROM dependencies AS compiled
WORKDIR /app
COPY --from=code /app /app
RUN NUMBA_CACHE_DIR=/compiled OMP_WAIT_POLICY=PASSIVE /opt/venv/bin/python -c \
    'from service.style.network.convolution import available; available()'; \
    mkdir -p /compiled && chmod -R a+rX /compiled
# numba wants OpenMP by this name. With torch's own, both share one pool of threads.
RUN mkdir /openmp && ln -s "$(echo /opt/venv/lib/python3*/site-packages/torch/lib/libgomp.so.1)" /openmp/libgomp.so.1.0.0


FROM ${BASE}
# The base image brings the standard library without bytecode, and a read-only start would compile it each time.
RUN python3 -m compileall -q -x '/(test|tests|site-packages|dist-packages|lib2to3|idlelib)/' \
    "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=weights /weights /weights
COPY --from=code /app /app
COPY --from=compiled /compiled /compiled
COPY --from=compiled /openmp /openmp
WORKDIR /app

ARG BACKBONE=vgg19
# HOME: whatever is kept goes to /tmp, the one place that has to be writable. TORCHINDUCTOR_CACHE_DIR:
# else torch looks up the user's name, and an arbitrary uid has none.
# MALLOC_ARENA_MAX: threads with an arena each never give memory back. TORCH_CUDNN_V8_API_LRU_CACHE_LIMIT: cuDNN's plans
# for 10,000 shapes, the default, grow to 1-2 GB (pytorch#104701). PYTORCH_CUDA_ALLOC_CONF: pictures of many sizes do
# not fragment the GPU's memory. BAKED_NUMBA_CACHE: is copied to NUMBA_CACHE_DIR, since numba reads no cache that it
# could not write to. NVIDIA_DRIVER_CAPABILITIES: what of the host's driver comes in, when a GPU is given.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    TORCHINDUCTOR_CACHE_DIR=/tmp/torchinductor \
    TRITON_CACHE_DIR=/tmp/triton \
    NUMBA_CACHE_DIR=/tmp/numba \
    BAKED_NUMBA_CACHE=/compiled \
    LD_LIBRARY_PATH=/openmp \
    MALLOC_ARENA_MAX=2 \
    TORCH_CUDNN_V8_API_LRU_CACHE_LIMIT=2000 \
    PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    STYLIZE_HOST=0.0.0.0 \
    STYLIZE_WEIGHTS_DIR=/weights \
    STYLIZE_BACKBONE=${BACKBONE}

# No such user exists in the image, and none has to: any uid will do.
USER 65532:65532
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
# The engine's heartbeat, on the admin port. Not urllib, which would ask the proxy in HTTP_PROXY.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('STYLIZE_ADMIN_PORT') or 9090), timeout=4); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
# In exec form, so that SIGTERM reaches gunicorn, which finishes what it has accepted.
ENTRYPOINT ["python", "-m", "service"]
CMD ["serve"]

ARG BASE
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="stylize" \
      org.opencontainers.image.description="A photograph in, a painting out: A Neural Algorithm of Artistic Style over HTTP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
