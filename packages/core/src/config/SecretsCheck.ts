/**
 * Secrets in the configuration: it is stored with every execution, so they do not belong there.
 */
import { holdsPassword, namesSecret } from "../domain/secrets/Secret.ts"
import { type ConfigurationIssue, formatPath, type Path } from "./ConfigurationIssue.ts"
import type { Sketch } from "./Sketch.ts"
import { isObject } from "./ShapeWalk.ts"

const written = (value: unknown, path: Path): ReadonlyArray<Path> => {
  if (Array.isArray(value)) return value.flatMap((item, index) => written(item, [...path, index]))
  if (isObject(value)) return Object.entries(value).flatMap(([key, item]) => written(item, [...path, key]))
  if (typeof value !== "string" || value === "" || path.at(-1) === "$secret" || path.at(-1) === "$output") return []
  return namesSecret(String(path.at(-1))) || holdsPassword(value) ? [path] : []
}

/** The address of a metric source; its token has a key of its own, which names a variable. */
const passwords = (metrics: unknown, path: Path): ReadonlyArray<Path> =>
  isObject(metrics) && typeof metrics.url === "string" && holdsPassword(metrics.url) ? [[...path, "url"]] : []

const issue =
  (expected: string, hint: string) =>
  (path: Path): ConfigurationIssue => ({
    path: formatPath(path),
    message: "looks like a secret, and the configuration is stored with every execution",
    expected,
    hint
  })

const inStack = issue(
  "a reference to a secret",
  `Put it into an environment variable and write secret("NAME") here, { "$secret": "NAME" } in JSON or YAML.`
)
const inOptions = issue(
  "the name of an environment variable",
  "Put it into an environment variable, and let the plug-in read that one."
)

/** All secrets of stacks and in the options of plug-ins, detected by name or as a password in a URL. */
export const check = (config: Sketch): ReadonlyArray<ConfigurationIssue> => [
  ...config.stacks
    .flatMap(({ index, metrics, properties }) => [
      ...written(properties, ["stacks", index, "properties"]),
      ...passwords(metrics, ["stacks", index, "metrics"])
    ])
    .map(inStack),
  ...config.overrides
    .flatMap(({ environment, metrics, properties, stack }) => [
      ...written(properties, ["environments", environment, "stacks", stack, "properties"]),
      ...passwords(metrics, ["environments", environment, "stacks", stack, "metrics"])
    ])
    .map(inStack),
  ...config.plugins
    .flatMap((plugin, index) => (isObject(plugin) ? written(plugin.options, ["plugins", index, "options"]) : []))
    .map(inOptions)
]
