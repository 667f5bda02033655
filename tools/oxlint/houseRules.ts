/**
 * Who may import whom, and which globals a package may touch: the table "Where a line goes" of CONTRIBUTING.md, enforced.
 * A later override of a rule replaces an earlier one, so the list of each folder is built whole.
 */
import type { OxlintOverride } from "oxlint"

type Forbidden = { readonly message: string } & ({ readonly regex: string } | { readonly group: Array<string> })

/** The folders of core, and which other folders of core each may import besides `internal`. */
const mayImport: Readonly<Record<string, ReadonlyArray<string>>> = {
  domain: [],
  text: ["domain"],
  analysis: ["domain", "text"],
  spi: ["domain", "text", "analysis"],
  api: ["domain", "text", "analysis", "spi", "telemetry"],
  config: ["domain", "text", "analysis", "spi", "api"],
  store: ["domain", "analysis", "spi", "api", "telemetry"],
  plugin: ["domain", "text", "analysis", "spi", "api", "config", "store", "telemetry"],
  engine: ["domain", "text", "analysis", "spi", "api", "config", "telemetry"],
  testing: ["domain", "text", "analysis", "spi", "api", "config", "store", "plugin", "engine", "telemetry"],
  telemetry: []
}

const barrel: Forbidden = {
  regex: "^effect$",
  message: 'Import the module ("effect/Schema"), not the barrel: it is most of what the command would load.'
}

const runsAnywhere: ReadonlyArray<Forbidden> = [
  {
    regex: "^(node:|@effect/(platform|sql)-)",
    message: "core runs anywhere: this belongs to a runtime package such as @signalbox/node."
  },
  {
    regex: "^(@aws-sdk|@google-cloud|@slack)/",
    message: "A vendor's SDK belongs to the adapter that is named after the vendor."
  },
  { regex: "^@signalbox/", message: "core imports no other package of Signalbox, and itself by relative path." }
]

const notCore = (message: string): Forbidden => ({ group: ["@signalbox/*", "!@signalbox/core"], message })

const onlyPorts = "An adapter imports @signalbox/core/spi and /plugin alone; what it misses there belongs there."

const restrict = (
  files: ReadonlyArray<string>,
  forbidden: ReadonlyArray<Forbidden>,
  paths: ReadonlyArray<{ readonly name: string; readonly message: string }> = []
): OxlintOverride => ({
  files: [...files],
  rules: { "no-restricted-imports": ["error", { patterns: [...forbidden], paths: [...paths] }] }
})

const coreFolder = ([folder, allowed]: readonly [string, ReadonlyArray<string>]): OxlintOverride => {
  const others = Object.keys(mayImport).filter((other) => other !== folder && !allowed.includes(other))
  return restrict(
    [`packages/core/src/${folder}/**`],
    [
      ...runsAnywhere,
      barrel,
      {
        regex: `^\\.\\.?/(.*/)?(${others.join("|")})/`,
        message: `core/${folder} imports ${["itself", "internal", ...allowed].join(", ")} and no other folder of core.`
      },
      ...(folder === "testing"
        ? []
        : [{ regex: "^(@effect/)?vitest$", message: "Only core/testing knows the test runner." }])
    ]
  )
}

export const houseRules: Array<OxlintOverride> = [
  {
    files: ["packages/core/src/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["process", "Buffer", "fetch", "performance", "__dirname"].map((name) => ({
          name,
          message: "core runs anywhere: take it through a service."
        })),
        ...["Date", "setTimeout", "setInterval", "setImmediate"].map((name) => ({
          name,
          message: "Time comes from Effect's Clock, so that tests can move it."
        }))
      ],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Chance comes from Effect's Random, so that tests can seed it." }
      ]
    }
  },
  ...Object.entries(mayImport).map(coreFolder),
  restrict(
    ["packages/provider-*/src/**", "packages/notify/src/**"],
    [
      barrel,
      {
        group: [
          "@signalbox/*",
          "!@signalbox/core",
          "@signalbox/core/*",
          "!@signalbox/core/spi",
          "!@signalbox/core/plugin"
        ],
        message: onlyPorts
      }
    ],
    [{ name: "@signalbox/core", message: onlyPorts }]
  ),
  restrict(
    ["packages/fault-proxy/src/**"],
    [{ regex: "^@|^effect", message: "The fault proxy needs nothing but Node." }]
  ),
  restrict(["packages/node/src/**"], [barrel, notCore("The runtime knows core and no adapter.")]),
  restrict(
    ["packages/dashboard/src/**"],
    [barrel, notCore("The dashboard reads through core and never knows a provider.")]
  ),
  restrict(
    ["examples/**"],
    [
      {
        regex: "packages/|^@signalbox/[^/]+/(src|dist)/",
        message: "An example imports what is published, as a user would."
      }
    ]
  ),
  {
    files: ["packages/cli/src/**", "packages/*/test/**", "examples/**", "scripts/**", "tools/**", "*.config.ts"],
    rules: { "no-console": "off" }
  }
]
