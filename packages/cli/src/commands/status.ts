import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DeploymentStore } from "@signalbox/core/spi"
import { invocation } from "../Invocation.ts"
import { environmentView } from "../json/execution.ts"
import { mark, word } from "../live/glyphs.ts"
import { table } from "../live/table.ts"
import { ago, plain, span } from "../live/words.ts"
import { withServices } from "../services.ts"
import * as Target from "../target.ts"
import { deployment } from "./flags.ts"

type View = ReturnType<typeof environmentView>

/** Both levels in one sentence where they do not say the same. */
export const disagreement = ({ stacks, status }: Pick<View, "stacks" | "status">): string | undefined => {
  const expected = { deployed: "deployed", destroyed: "destroyed" }[status as string]
  const others = expected === undefined ? [] : stacks.filter((stack) => stack.status !== expected)
  if (others.length > 0) {
    return `the deployment is ${word(status)}, but ${others.map((stack) => `${stack.name} is ${word(stack.status)}`).join(", ")}`
  }
  if (status === "partial") {
    const failed = stacks.filter((stack) => stack.status === "failed").map(({ name }) => name)
    return failed.length === 0 ? undefined : `partial because of ${failed.join(", ")}`
  }
  return undefined
}

export const status = Command.make(
  "status",
  { id: deployment },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const id = yield* Target.deploymentId(inv, Option.getOrUndefined(flags.id))
    yield* withServices(
      inv,
      Effect.gen(function* () {
        const found = yield* Target.deployment(id)
        const store = yield* DeploymentStore
        const states = yield* Target.environmentsByTime(id)
        const environment =
          inv.settings.environment === undefined
            ? (states[0]?.environment ?? found.environments[0]!)
            : yield* Target.environmentIn(inv, found.environments)
        const state = states.find((one) => one.environment === environment)
        const execution = state === undefined ? undefined : yield* store.execution(state.current ?? state.last)
        const now = Date.now()
        const view = {
          ...environmentView(found, state, environment, execution, now),
          environments: found.environments.map((name) => ({
            name,
            status: states.find((one) => one.environment === name)?.status ?? ("initialized" as const)
          }))
        }
        yield* inv.result(view, () => {
          const [sign, style] = mark(view.status)
          const others = view.environments.filter(({ name }) => name !== environment)
          const difference = disagreement(view)
          return [
            `${inv.paint("bold", view.deploymentId)} ${view.organization}/${view.project}  ${environment}  ${inv.paint(style, `${sign} ${word(view.status)}`)}`,
            ...(difference === undefined ? [] : [inv.paint("yellow", difference)]),
            "",
            ...table(
              view.stacks,
              [
                { title: "STACK", cell: (row) => row.name },
                {
                  title: "STATUS",
                  cell: (row) => `${mark(row.status)[0]} ${word(row.status)}`,
                  style: (row) => mark(row.status)[1]
                },
                { title: "VERSION", cell: (row) => row.release?.version ?? "–" },
                { title: "PROVIDER", cell: (row) => row.provider ?? "–", drop: 2 },
                {
                  title: "UPDATED",
                  cell: (row) => (row.updatedAt === null ? "–" : ago(Date.parse(row.updatedAt), now)),
                  drop: 1
                }
              ],
              { width: inv.host.stdout.columns(), paint: inv.paint }
            ),
            "",
            ...(execution === undefined
              ? []
              : [
                  `${state?.current == null ? "last" : "now"}:  ${execution.kind} ${execution.version ?? ""} ${word(execution.status)} by ${plain(execution.by)}, ${ago(execution.requestedAt, now)} (${execution.correlationId})`
                ]),
            ...(execution?.questions ?? []).map(
              ({ expiresAt, question, stack }) =>
                `waits: ${stack}: ${plain(question)} (${span(expiresAt - now)} left)  ${inv.paint("cyan", `signalbox approve ${execution?.correlationId}`)}`
            ),
            ...(others.length === 0
              ? []
              : [`other environments: ${others.map((other) => `${other.name} ${word(other.status)}`).join(", ")}`])
          ]
        })
      })
    )
  })
).pipe(Command.withDescription("Status of a deployment and of each of its stacks in one environment"))
