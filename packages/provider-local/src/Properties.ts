/**
 * The properties of a local stack.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { canonicalJson, type ProviderReason, Span } from "@signalbox/core/spi"
import { sha256 } from "./sha256.ts"
import type { EnvValue, Runtime } from "./supervisor/Protocol.ts"

const optional = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefault<S>(Effect.succeed(value))(schema)

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Arguments and variables end at the first NUL: the system accepts none. */
// oxlint-disable-next-line no-control-regex
const text = Schema.String.check(Schema.isPattern(/^[^\u0000]*$/, { expected: "text without NUL characters" }))

const VariableName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]*$/, { expected: "the name of an environment variable" })
)

/**
 * A secret, by the name of the environment variable that holds it: `{ "$secret": "API_TOKEN" }`.
 *
 * *Details*: resolved when a process starts, from the environment of the command that deploys; never stored or printed.
 */
export const SecretReference = Schema.Struct({ $secret: VariableName })

const inside = text.check(
  Schema.makeFilter((path) => !path.startsWith("/") && !path.split(/[\\/]/).includes(".."), {
    expected: "a relative path that stays within the release"
  })
)

/**
 * The properties of a local stack.
 *
 * *Details*:
 * - `command` program and arguments, run in `cwd` (relative to the release, default its root)
 * - `env` strings, or references to secrets. A process gets these, `PORT`, `SIGNALBOX_STACK`, `SIGNALBOX_RELEASE`,
 *   `SIGNALBOX_VERSION`, `SIGNALBOX_INSTANCE`, and from the surrounding environment only PATH, HOME, locale and the
 *   like
 * - `instances` 1–100, default 1
 * - `readiness` `GET path` (default `/`) must answer with 2xx or 3xx within `timeout` (30 seconds) of the start, and is
 *   requested every `interval` (1 second) from then on
 * - `port` the public port; absent or 0: one is chosen and kept
 * - `artifact` a directory, `.tar.gz` or `.tgz` by path or URL, if the deployment does not name one; `#sha256=…` at its
 *   end, or `digest`, is checked
 * - `keep` how many releases stay unpacked (1–50, default 3)
 * - `drain` how long requests in flight may take to finish (10 seconds), `grace` the time between SIGTERM and SIGKILL
 *   (5 seconds)
 */
export const Properties = Schema.Struct({
  command: Schema.NonEmptyArray(text.check(Schema.isMinLength(1))),
  cwd: optional(inside, "."),
  env: optional(Schema.Record(VariableName, Schema.Union([text, SecretReference])), {}),
  instances: optional(between(1, 100), 1),
  readiness: optional(
    Schema.Struct({
      path: optional(Schema.String.check(Schema.isPattern(/^\//, { expected: "a path that starts with /" })), "/"),
      timeout: optional(Span, "30 seconds"),
      interval: optional(Span, "1 second")
    }),
    {}
  ),
  port: optional(between(0, 65_535), 0),
  artifact: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  digest: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^sha256:[0-9a-f]{64}$/, { expected: "sha256: and 64 hexadecimal digits" }))
  ),
  keep: optional(between(1, 50), 3),
  drain: optional(Span, "10 seconds"),
  grace: optional(Span, "5 seconds")
})
export type Properties = typeof Properties.Type

const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

/** Outputs of other stacks may be numbers and booleans; in an environment they are strings. */
const withTexts = (input: unknown): unknown => {
  const env = (input as { readonly env?: unknown } | null)?.env
  if (typeof env !== "object" || env === null) return input
  return {
    ...(input as object),
    env: Object.fromEntries(
      Object.entries(env).map(([name, value]: [string, unknown]) => [
        name,
        typeof value === "number" || typeof value === "boolean" ? String(value) : value
      ])
    )
  }
}

/** Decodes properties; a failure points at the first mistake. */
export const decode = (input: unknown): Effect.Effect<Properties, ProviderReason> =>
  Effect.mapError(
    Schema.decodeUnknownEffect(Properties)(withTexts(input), { onExcessProperty: "error", errors: "first" }),
    (error): ProviderReason => {
      const [issue] = formatter(error.issue).issues
      return {
        _tag: "Invalid",
        message: issue?.message ?? "the properties are wrong",
        path: (issue?.path ?? []).map((key) => String(typeof key === "object" ? key.key : key))
      }
    }
  )

/** Timers overflow beyond 24.8 days, and would then fire at once. */
const millis = (span: Duration.Duration): number => Math.min(Duration.toMillis(span), 2 ** 31 - 1)

/** How a release runs, as the supervisor keeps it: references to secrets, no secrets. */
export const runtimeOf = (properties: Properties): Runtime => ({
  command: properties.command,
  cwd: properties.cwd,
  env: Object.fromEntries(
    Object.entries(properties.env).map(([name, value]): [string, EnvValue] => [
      name,
      typeof value === "object" ? { secret: value.$secret } : value
    ])
  ),
  instances: properties.instances,
  port: properties.port,
  readiness: {
    path: properties.readiness.path,
    timeout: millis(properties.readiness.timeout),
    interval: Math.max(20, millis(properties.readiness.interval))
  },
  drain: millis(properties.drain),
  grace: millis(properties.grace),
  keep: properties.keep
})

/** A digest of JSON, independent of the order of keys. */
export const digestOf = (value: unknown): string => sha256().update(canonicalJson(value)).digest("hex")

/** The names of the secrets of a release, with the property that needs each. */
export const secretsOf = (runtime: Runtime): ReadonlyArray<{ readonly property: string; readonly variable: string }> =>
  Object.entries(runtime.env).flatMap(([property, value]) =>
    typeof value === "string" ? [] : [{ property, variable: value.secret }]
  )
