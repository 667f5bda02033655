/**
 * The properties of a site of Firebase Hosting.
 */
import { decodeProperties } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const optional = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefault<S>(Effect.succeed(value))(schema)

const pattern = (regex: RegExp, expected: string) => Schema.String.check(Schema.isPattern(regex, { expected }))
const some = Schema.String.check(Schema.isMinLength(1))

/**
 * The properties of a site of Firebase Hosting.
 *
 * *Details*:
 * - `site` its ID (default: as `firebase.json` says, else the project); it has to exist, and is adopted with what is live
 * - `target` in place of `site`: a deploy target of `.firebaserc`
 * - `project` default: the account of the environment, then `GOOGLE_CLOUD_PROJECT`, then the default one of `.firebaserc`
 * - `config` the file with the settings of the site (default `firebase.json`), from the folder of the configuration
 * - `public` the folder with the files, in place of the one in `config`; `--artifact` goes before both
 * - `channel` the preview channel of the candidate (default `signalbox`), and `expires` when it ends by itself (`30m`,
 *   `12h`, `7d`; default `7d`, at most `30d`)
 * - `pins` the revisions of Cloud Run that rewrites with `pinTag` lead to, by service (default: those with the traffic)
 */
export const SiteProperties = Schema.Struct({
  site: Schema.optionalKey(
    pattern(/^[a-z0-9][a-z0-9-]{0,29}$/, "the ID of a site, up to 30 lower-case letters, digits and hyphens")
  ),
  target: Schema.optionalKey(some),
  project: Schema.optionalKey(pattern(/^[a-z][a-z0-9:.-]{4,}$/, "the ID of a project")),
  config: optional(some, "firebase.json"),
  public: Schema.optionalKey(some),
  channel: optional(
    pattern(/^(?!live$)[a-z0-9][a-z0-9-]{0,51}$/, "up to 52 lower-case letters, digits and hyphens, and not live"),
    "signalbox"
  ),
  expires: optional(
    pattern(/^([1-9]\d*m|([1-9]\d{0,2})h|([1-9]|[12]\d|30)d)$/, "a time such as 30m, 12h or 7d, at most 30d"),
    "7d"
  ),
  pins: optional(Schema.Record(Schema.String, some), {})
}).check(
  Schema.makeFilter(({ site, target }) =>
    site !== undefined && target !== undefined
      ? { path: ["target"], issue: "either site or target names the site, not both" }
      : undefined
  ),
  Schema.makeFilter(({ expires }) =>
    secondsOf(expires) > longest ? { path: ["expires"], issue: "a preview channel lasts at most 30d" } : undefined
  )
)
export type SiteProperties = typeof SiteProperties.Type

const longest = 30 * 24 * 3600
const units: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 24 * 3600 }

/** The seconds until a channel ends. */
export const secondsOf = (expires: string): number => Number.parseInt(expires, 10) * units[expires.at(-1)!]!

/** Decodes properties; a failure points at the first mistake. */
export const decode = decodeProperties(SiteProperties)
