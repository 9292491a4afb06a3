#!/bin/sh
# Run once by Postgres' image, on an empty database: the role that the API reads with. Tables come
# later, from the writer, so what the role may do with them is said beforehand.
# The password is read by psql from its environment; it is in no argument list.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'END'
\getenv password READER_PASSWORD
CREATE ROLE reader LOGIN PASSWORD :'password';
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader;
END
