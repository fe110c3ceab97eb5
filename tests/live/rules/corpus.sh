#!/bin/sh
# Makes the image of ordinary work, a tar file, from Debian packages: services, a compiler, and
# packages that are installed later, in a container.
#
#   corpus.sh OUT.tar
# The hooks are for the shell that mmdebstrap starts, which knows $1.
# shellcheck disable=SC2016
set -eu

out=$1
part=$out.part.tar
packages=apt,nginx-light,postgresql,redis-server,cron,gcc,libc6-dev,make,curl,procps

mmdebstrap --quiet --variant=essential --include="$packages" \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--customize-hook='mkdir -p "$1/srv/packages"' \
	--customize-hook='cp /etc/resolv.conf "$1/etc/resolv.conf"' \
	--customize-hook='chroot "$1" sh -c "apt-get update -q && cd /srv/packages && apt-get download -q tree sudo at logrotate libpopt0 iputils-ping adduser"' \
	--customize-hook='echo "* * * * * root /usr/bin/true" >"$1/etc/cron.d/every-minute"' \
	bookworm "$part" ${COFF_DEMO_MIRROR:+"$COFF_DEMO_MIRROR"}
mv "$part" "$out"
