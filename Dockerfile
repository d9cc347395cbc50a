# The image of the services loader and cron: the program, Debian's cron, and nothing to build with.

FROM debian:trixie-slim AS build
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The Makefile alone first: as long as it stays the same, so do the packages.
COPY Makefile ./
RUN make build-deps && rm -rf /var/lib/apt/lists/*
COPY src src
COPY sql sql
RUN make && strip build/sluice

FROM debian:trixie-slim
ENV DEBIAN_FRONTEND=noninteractive
# systemd-standalone-sysusers stands in for systemd, which cron would bring along otherwise.
# pam_loginuid fails in containers of some hosts, and then cron runs nothing. The jobs that Debian's packages bring
# along are not ours to run.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpq5 libyaml-0-2 tzdata ca-certificates cron \
      systemd-standalone-sysusers \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/apt /var/log/dpkg.log \
 && sed -i '/pam_loginuid/d' /etc/pam.d/cron \
 && rm -f /etc/cron.*/* && printf '' >/etc/crontab \
 && useradd --system --user-group --home-dir /var/lib/sluice --create-home --skel /nonexistent --shell /usr/sbin/nologin sluice \
 && install -m 0640 -o sluice -g adm /dev/null /var/log/cron.log \
 && install -m 0640 -o sluice -g adm /dev/null /var/log/cron.log.1
COPY --from=build /src/build/sluice /usr/local/bin/sluice
COPY docker/cron.sh docker/job.sh /usr/local/lib/sluice/
RUN chmod 755 /usr/local/lib/sluice/cron.sh /usr/local/lib/sluice/job.sh
ENV TZ=UTC
WORKDIR /project
USER sluice
ENTRYPOINT ["sluice"]
CMD ["help"]
