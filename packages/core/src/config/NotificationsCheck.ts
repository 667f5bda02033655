/**
 * Checks whether the parts of `notifications` fit each other: channels, their notifiers, and secrets in their options.
 */
import type { Json } from "../domain/Release.ts"
import { holdsPassword, namesSecret } from "../domain/secrets/Secret.ts"
import type { NotifierKind } from "../spi/Notifier.ts"
import { type ConfigurationIssue, didYouMean, formatPath, noSuch, type Path } from "./ConfigurationIssue.ts"
import { isObject } from "./ShapeWalk.ts"

type Issues = ReadonlyArray<ConfigurationIssue>

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [value])

const channelsIn = (notifications: Readonly<Record<string, unknown>>): ReadonlyArray<string> =>
  isObject(notifications.channels) ? Object.keys(notifications.channels) : []

const targets = (notifications: Readonly<Record<string, unknown>>): Issues => {
  const names = channelsIn(notifications)
  return (["routes", "escalate"] as const).flatMap((part) =>
    (Array.isArray(notifications[part]) ? notifications[part] : []).flatMap((entry: unknown, index) =>
      !isObject(entry)
        ? []
        : listOf(entry.to).flatMap((name, at): Issues =>
            typeof name !== "string" || names.includes(name)
              ? []
              : [
                  {
                    path: formatPath(["notifications", part, index, "to", ...(Array.isArray(entry.to) ? [at] : [])]),
                    message: noSuch("channel", name, names),
                    expected: "the name of a channel",
                    hint: didYouMean(name, names, "channels")
                  }
                ]
          )
    )
  )
}

/** Places of secrets that are no references. */
const written = (value: unknown, path: Path): ReadonlyArray<Path> => {
  if (Array.isArray(value)) return value.flatMap((item, index) => written(item, [...path, index]))
  if (isObject(value)) return Object.entries(value).flatMap(([key, item]) => written(item, [...path, key]))
  if (typeof value !== "string" || value === "" || path.at(-1) === "$secret") return []
  return namesSecret(String(path.at(-1))) || holdsPassword(value) ? [path] : []
}

const options = (
  channel: string,
  given: Readonly<Record<string, unknown>>,
  notifiers: ReadonlyMap<string, NotifierKind>
): Issues => {
  const at: Path = ["notifications", "channels", channel]
  const { kind, options = {} } = given
  if (typeof kind !== "string" || !isObject(options)) return []
  const notifier = notifiers.get(kind)
  if (notifier === undefined) {
    const kinds = [...notifiers.keys()]
    return [
      {
        path: formatPath([...at, "kind"]),
        message: noSuch("notifier", kind, kinds),
        expected: "the kind of an installed notifier",
        hint: didYouMean(kind, kinds, "installed notifiers")
      }
    ]
  }
  return notifier.check(options as Json).map(({ expected, hint, message, path }) => ({
    path: formatPath([...at, "options", ...path]),
    message,
    expected: expected ?? "options that the notifier understands",
    hint: hint ?? "See the documentation of the notifier."
  }))
}

/** All issues besides its shape; the kinds of channels only if the notifiers are known. */
export const check = (config: unknown, notifiers?: ReadonlyMap<string, NotifierKind>): Issues => {
  if (!isObject(config) || !isObject(config.notifications)) return []
  const { notifications } = config
  const channels = isObject(notifications.channels) ? notifications.channels : {}
  return [
    ...targets(notifications),
    ...written(channels, ["notifications", "channels"]).map((path) => ({
      path: formatPath(path),
      message: "looks like a secret",
      expected: "a reference to a secret",
      hint: `Put it into an environment variable and write secret("NAME") here, { "$secret": "NAME" } in JSON or YAML.`
    })),
    ...(notifiers === undefined
      ? []
      : Object.entries(channels).flatMap(([name, channel]) =>
          isObject(channel) ? options(name, channel, notifiers) : []
        ))
  ]
}
