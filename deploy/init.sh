#!/bin/sh
# Makes what docker-compose.yml needs besides itself: ./secrets with a random password of the database, and an empty .env for your settings.
# What is there already is kept, so that it can be run again at any time.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
if [ ! -s secrets/postgres_password ]; then
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >secrets/postgres_password
fi
printf 'postgres://chainfolio:%s@postgres:5432/chainfolio\n' "$(cat secrets/postgres_password)" >secrets/database_url
# The folder is its owner's alone; the files have to be readable by the users that the containers run as.
chmod 444 secrets/postgres_password secrets/database_url
[ -e .env ] || cp .env.example .env
