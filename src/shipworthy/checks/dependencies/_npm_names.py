"""Well-known packages of npm, and names that are near one without being it. Scoped names are their owner's alone."""

# ruff: noqa: E501  (names)

from __future__ import annotations

from shipworthy.checks.dependencies._names import LOOKALIKE, Near, distance

_KNOWN_TEXT = (
    "@langchain/core ajv angular apollo-server archiver argon2 autoprefixer aws-sdk axios babel-core babel-loader bcrypt "
    "bcryptjs bluebird body-parser bootstrap browserify chalk cheerio chokidar classnames clsx colors commander "
    "compression connect-redis cookie-parser core-js cors cross-env cross-spawn crypto-js dayjs debug discord.js dompurify "
    "dotenv electron esbuild eslint eslint-config-prettier event-stream execa express express-rate-limit express-session "
    "fast-glob fastify firebase follow-redirects form-data formidable framer-motion fs-extra glob graphql gulp handlebars "
    "helmet highlight.js http-proxy husky immer inquirer ioredis isomorphic-fetch jest jquery js-yaml jsdom jsonwebtoken "
    "knex langchain lint-staged lodash lodash.merge lru-cache mariadb marked material-ui mime-types minimatch minimist "
    "mkdirp mocha moment mongodb mongoose morgan multer mysql2 nanoid next-auth node-fetch node-sass nodemailer "
    "nodemon npm-run-all openai passport passport-local pg-promise playwright postcss prettier prisma prop-types puppeteer "
    "querystring react react-dom react-redux react-router react-router-dom redis redux request rimraf rollup rxjs "
    "semver sequelize serialize-javascript serve-static sharp shelljs socket.io socket.io-client sqlite3 styled-components "
    "superagent supertest svelte swagger-ui-express tailwindcss three ts-loader ts-node tslib typeorm typescript "
    "uglify-js underscore undici uuid validator vite vitest vue-router webpack webpack-cli webpack-dev-server winston "
    "xml2js yargs zod"
)
KNOWN = frozenset(_KNOWN_TEXT.split())
# Real packages of their own that are near a well-known name, and used by many.
_ALLOWED_TEXT = (
    "angular2 args aws-cdk axiom bcrypto color colord cose-js crypt crypto-es crypto-ts dargs eclint enquirer esplint exec "
    "fs.extra gaxios graphiql http2-proxy inquirer2 is-node jsdoc jslint json-web-token jsom mime-type mimer mkdir mkdir-p "
    "mkdirp2 mquery mysql node-fetch-npm npm-run-all2 openapi pargs postcss-js preact preact-redux preact-router prism "
    "ps-node query-string react-router5 redis-js reds reqwest scrypt semiver server sqlite ts-lib tslab tslint "
    "tslint-config-prettier ttypescript uglify-es validator.js validatorjs vargs wargs xml-js"
)
ALLOWED = frozenset(_ALLOWED_TEXT.split())
_ENDED = ("js", "-js", ".js", "-node", "-npm")
_SORTED = tuple(sorted(KNOWN))
_SEPARATORS = str.maketrans("", "", "-._")


def near(name: str) -> Near | None:
    """The well-known package that a name could be taken for; None for known, allowed, scoped and other names."""
    name = name.lower()
    if name in KNOWN or name in ALLOWED or name.startswith("@") or len(name) > 80:
        return None
    bare = name.translate(_SEPARATORS)
    for known in _SORTED:
        if len(bare) >= 5 and known.translate(_SEPARATORS) == bare:
            return Near(known, "differs only in its separators", 3)
        if len(known) >= 5 and known.translate(LOOKALIKE) == name.translate(LOOKALIKE):
            return Near(known, "has characters that look alike", 3)
    for known in _SORTED:
        if len(known) >= 5 and abs(len(known) - len(name)) <= 1 and distance(name, known, 1) == 1:
            return Near(known, "differs in one character", 3 if len(known) >= 7 else 2)
    for known in _SORTED:
        if len(known) >= 5 and name in {known + ending for ending in _ENDED}:
            return Near(known, "adds to it what people expect to see", 1)
    return None
