/**
 * Draws `docs/state-machines.md` from the transition tables of `core/domain`.
 *
 *     node scripts/diagrams.ts           writes it
 *     node scripts/diagrams.ts --check   fails where it differs
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Machine from "../packages/core/src/domain/Machine.ts"
import {
  deploymentMachine,
  executionMachine,
  stackMachine,
  stageMachine
} from "../packages/core/src/domain/Machines.ts"
import { root } from "./repository.ts"

const sections: ReadonlyArray<readonly [string, Machine.Machine<string, string>, string]> = [
  [
    "Deployment",
    deploymentMachine,
    "The status of a deployment in one environment. `partial` means that some enabled stacks ended deployed and some " +
      "failed. The `kept_…` triggers put back what the deployment was before an execution that was rolled back or cancelled."
  ],
  [
    "Stack",
    stackMachine,
    "The status of one stack in one environment. After a rollback it is `deployed` again, at its old release, or " +
      "`not_deployed` where there was none."
  ],
  [
    "Execution",
    executionMachine,
    "The status of an execution, from the moment it is asked for to one of its four ends."
  ],
  [
    "Stage",
    stageMachine,
    "The status of a stage, of an execution as a whole or of one stack in it. `waiting` is waiting for a person or a clock."
  ]
]

/** The whole page. */
export const page = (): string =>
  [
    "# State machines",
    "Drawn from the tables in `packages/core/src/domain/Machines.ts` by `scripts/diagrams.ts`; change those, not this page. " +
      "Every status is a fold over events, and an event that a table does not allow cannot be written.",
    ...sections.flatMap(([title, machine, about]) => [
      `## ${title}`,
      about,
      `\`\`\`mermaid\n${Machine.toMermaid(machine)}\n\`\`\``
    ])
  ].join("\n\n") + "\n"

const file = join(root, "docs", "state-machines.md")

if (import.meta.main) {
  if (!process.argv.includes("--check")) writeFileSync(file, page())
  else if (readFileSync(file, "utf8") !== page()) {
    console.error("docs/state-machines.md differs from the tables: run node_modules/.bin/node scripts/diagrams.ts")
    process.exitCode = 1
  }
}
