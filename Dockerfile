FROM python:3.11.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app OPENBLAS_NUM_THREADS=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin pooling
WORKDIR /app

# Locked binary packages only; the file names no index, so the builder's own setting decides where from.
# The second file is the first with the extra `cluster`: the same image works on a Dask cluster.
COPY constraints.txt ./
COPY constraints-cluster.txt ./
RUN python -m pip install --require-hashes --only-binary :all: --no-deps -r constraints.txt -r constraints-cluster.txt

COPY connectors connectors
COPY solver solver
COPY pooling pooling
# Compiled once, here: the user below may not write, and every process would compile them all again.
RUN python -m compileall -q connectors solver pooling

USER 10001
EXPOSE 8000
ENTRYPOINT ["python", "-m", "pooling"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
