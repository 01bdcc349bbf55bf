# chainfolio's processes: the API (src/main.ts), the worker (src/worker.ts) and the schema's update (src/migrate.ts).
# It runs as a user without rights and writes nothing but the first key, into a volume, so that the root file system may be read-only.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# No package runs a script while it is installed. The optional ones are the embedded PostgreSQL, which a container has no use for, and native
# short cuts.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund && rm -rf /root/.npm
# What is never loaded: sources and maps for debuggers, type declarations, and the documentation of packages.
RUN find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="chainfolio" \
      org.opencontainers.image.description="Self-hosted, multi-chain crypto portfolio service" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY LICENSE NOTICE package.json ./
COPY deploy/health-check.ts deploy/
COPY migrations migrations
COPY src src
# A volume that is mounted here for the first time takes over whose it is.
RUN install -d -m 700 -o node -g node /data
ENV DATA_DIR=/data
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "deploy/health-check.ts", "http://127.0.0.1:3000/health/ready"]
CMD ["node", "src/main.ts"]
