/**
 * Checks whether the parts of a configuration fit each other: names, dependencies, outputs, providers and strategies.
 */
import { lackWords } from "../text/index.ts"
import type { Capabilities, Provider } from "../spi/Provider.ts"
import { type ConfigurationIssue, didYouMean, formatPath, noSuch, type Path } from "./ConfigurationIssue.ts"
import { references } from "./References.ts"
import type { Sketch, StackSketch } from "./Sketch.ts"

type Installed = ReadonlyMap<string, Provider>
type Issues = ReadonlyArray<ConfigurationIssue>

const issue = (path: Path, message: string, expected: string, hint: string): ConfigurationIssue => ({
  path: formatPath(path),
  message,
  expected,
  hint
})

const duplicates = ({ stacks }: Sketch): Issues =>
  stacks.flatMap(({ index, name }) => {
    const first = stacks.find((stack) => stack.name === name)!
    return first.index === index
      ? []
      : [
          issue(
            ["stacks", index, "name"],
            `"${name}" is the name of stacks[${first.index}] too`,
            "a name that no other stack has",
            "Rename one of the two."
          )
        ]
  })

const dependencies = ({ stacks }: Sketch): Issues => {
  const names = stacks.map(({ name }) => name)
  return stacks.flatMap((stack) =>
    stack.dependsOn.flatMap(([at, name]) =>
      names.includes(name)
        ? []
        : [
            issue(
              ["stacks", stack.index, "dependsOn", at],
              noSuch("stack", name, names),
              "the name of another stack",
              didYouMean(
                name,
                names.filter((other) => other !== stack.name),
                "other stacks"
              )
            )
          ]
    )
  )
}

const cycles = ({ stacks }: Sketch): Issues => {
  const byName = new Map(stacks.toReversed().map((stack) => [stack.name, stack]))
  const done = new Set<string>()
  const issues: Array<ConfigurationIssue> = []
  const visit = (stack: StackSketch, above: ReadonlyArray<string>): void => {
    if (done.has(stack.name)) return
    for (const [at, name] of stack.dependsOn) {
      const path = [...above, stack.name]
      const start = path.indexOf(name)
      if (start === -1) {
        const next = byName.get(name)
        if (next !== undefined) visit(next, path)
        continue
      }
      issues.push(
        issue(
          ["stacks", stack.index, "dependsOn", at],
          start === path.length - 1
            ? `"${name}" depends on itself`
            : `the stacks depend on each other in a circle: ${[...path.slice(start), name].join(" → ")}`,
          "dependencies without a circle",
          `Remove "${name}" from what "${stack.name}" depends on, or another link of the circle.`
        )
      )
    }
    done.add(stack.name)
  }
  for (const stack of stacks) visit(stack, [])
  return issues
}

const upstream = ({ stacks }: Sketch, stack: StackSketch): ReadonlySet<string> => {
  const seen = new Set<string>()
  const visit = (one: StackSketch): void => {
    for (const [, name] of one.dependsOn) {
      if (seen.has(name)) continue
      seen.add(name)
      const next = stacks.find((other) => other.name === name)
      if (next !== undefined) visit(next)
    }
  }
  visit(stack)
  return seen
}

/** A provider whose stacks name their own outputs (a template, for example) declares `*`. */
const anyOutput = "*"

const outputsIn = (config: Sketch, installed: Installed, stack: StackSketch, properties: unknown, base: Path): Issues =>
  references(properties).flatMap(([inside, value]) => {
    const path = [...base, ...inside]
    const { $output, ...others } = value as Readonly<Record<string, unknown>>
    const [, source, name] = /^([^.]+)\.(.+)$/.exec(typeof $output === "string" ? $output : "") ?? []
    if (source === undefined || name === undefined || Object.keys(others).length > 0) {
      return [
        issue(
          path,
          `expected a reference of the form { "$output": "stack.output" }`,
          `{ "$output": "stack.output" }`,
          "Name a stack and one of its outputs, and nothing else."
        )
      ]
    }
    const reachable = upstream(config, stack)
    const target = config.stacks.find((other) => other.name === source)
    if (target === undefined) {
      return [
        issue(
          path,
          noSuch(
            "stack",
            source,
            config.stacks.map(({ name }) => name)
          ),
          "an output of a stack that this one depends on",
          didYouMean(
            source,
            [...reachable].filter((other) => config.stacks.some(({ name }) => name === other)),
            "stacks it depends on"
          )
        )
      ]
    }
    if (!reachable.has(source)) {
      return [
        issue(
          path,
          source === stack.name
            ? "a stack cannot use its own output"
            : `"${stack.name}" does not depend on "${source}"`,
          "an output of a stack that this one depends on",
          source === stack.name ? "Refer to another stack." : `Add "${source}" to dependsOn of "${stack.name}".`
        )
      ]
    }
    const outputs = target.provider === undefined ? undefined : installed.get(target.provider)?.capabilities.outputs
    return outputs === undefined || outputs.includes(name) || outputs.includes(anyOutput)
      ? []
      : [
          issue(
            path,
            `${noSuch("output", name, outputs)} of "${source}"`,
            "an output that the provider of the stack declares",
            didYouMean(name, outputs, `outputs of ${source}`)
          )
        ]
  })

const outputs = (config: Sketch, installed: Installed): Issues => [
  ...config.stacks.flatMap((stack) =>
    outputsIn(config, installed, stack, stack.properties, ["stacks", stack.index, "properties"])
  ),
  ...config.overrides.flatMap(({ environment, properties, stack }) => {
    const target = config.stacks.find(({ name }) => name === stack)
    return target === undefined
      ? []
      : outputsIn(config, installed, target, properties, ["environments", environment, "stacks", stack, "properties"])
  })
]

const overrides = ({ overrides, stacks }: Sketch): Issues =>
  overrides.flatMap(({ environment, stack }) =>
    stacks.some(({ name }) => name === stack)
      ? []
      : [
          issue(
            ["environments", environment, "stacks", stack],
            noSuch(
              "stack",
              stack,
              stacks.map(({ name }) => name)
            ),
            "the name of a stack",
            didYouMean(
              stack,
              stacks.map(({ name }) => name),
              "stacks"
            )
          )
        ]
  )

const providers = ({ stacks }: Sketch, installed: Installed): Issues =>
  stacks.flatMap(({ index, provider }) =>
    provider === undefined || installed.has(provider)
      ? []
      : [
          issue(
            ["stacks", index, "provider"],
            noSuch("provider", provider, [...installed.keys()]),
            "the kind of an installed provider",
            didYouMean(provider, [...installed.keys()], "installed providers")
          )
        ]
  )

type Lack = Exclude<keyof typeof lackWords, "installation">

/**
 * What a provider lacks for a strategy, or nothing where it can.
 */
export const lacks = (strategy: string, capabilities: Capabilities): Lack | undefined => {
  const { capacity, traffic } = capabilities
  if (strategy === "canary" && traffic !== "percent") return "partial_traffic"
  if (strategy === "rolling" && traffic !== "percent") return "partial_traffic"
  if (strategy === "rolling" && !capacity) return "partial_capacity"
  if (strategy === "blue_green" && traffic === "none") return "idle_release"
  return undefined
}

/** The strategies that a provider can carry out. */
export const possible = (capabilities: Capabilities): ReadonlyArray<string> =>
  ["all_at_once", "rolling", "blue_green", "canary"].filter((one) => lacks(one, capabilities) === undefined)

const strategies = (config: Sketch, installed: Installed): Issues => {
  const check = (provider: string | undefined, strategy: string | undefined, path: Path): Issues => {
    const capabilities = provider === undefined ? undefined : installed.get(provider)?.capabilities
    if (capabilities === undefined || strategy === undefined) return []
    const lack = lacks(strategy, capabilities)
    const choice = possible(capabilities).join(", ")
    return lack === undefined
      ? []
      : [
          issue(
            path,
            `${strategy} is not possible: the provider "${provider}" ${lackWords[lack]}`,
            `one of ${choice}`,
            `Choose one of ${choice}, or another provider.`
          )
        ]
  }
  return [
    ...config.stacks.flatMap(({ index, provider, strategy }) =>
      check(provider, strategy, ["stacks", index, "strategy", "type"])
    ),
    ...config.overrides.flatMap(({ environment, stack, strategy }) =>
      check(config.stacks.find(({ name }) => name === stack)?.provider, strategy, [
        "environments",
        environment,
        "stacks",
        stack,
        "strategy",
        "type"
      ])
    )
  ]
}

const freezes = ({ environments, freezes }: Sketch): Issues =>
  freezes.flatMap((freeze) => {
    const first = freezes.find(({ name }) => name === freeze.name)!
    const twice =
      freeze.name === undefined || first.index === freeze.index
        ? []
        : [
            issue(
              ["freezes", freeze.index, "name"],
              `"${freeze.name}" is the name of freezes[${first.index}] too`,
              "a name that no other freeze has",
              "Rename one of the two."
            )
          ]
    const unknown = freeze.environments
      .filter(([, name]) => environments.length > 0 && !environments.includes(name))
      .map(([at, name]) =>
        issue(
          ["freezes", freeze.index, "environments", at],
          noSuch("environment", name, environments),
          "the name of an environment",
          didYouMean(name, environments, "environments")
        )
      )
    return [...twice, ...unknown]
  })

/** All parts of a configuration that do not fit the rest of it, or the providers. */
export const check = (config: Sketch, installed: Installed): Issues => [
  ...duplicates(config),
  ...dependencies(config),
  ...cycles(config),
  ...providers(config, installed),
  ...strategies(config, installed),
  ...outputs(config, installed),
  ...overrides(config),
  ...freezes(config)
]
