import { deploymentView, instantOf, stackNames } from "@signalbox/core/api/views"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { mark, word } from "../live/glyphs.ts"
import { disagreement } from "../live/disagreement.ts"
import { type Column, table } from "../live/table.ts"
import { ago } from "../live/words.ts"
import { hasStore, signalbox, withServices } from "../main/services.ts"

const noteColumn: Column<{ readonly note: string | null }> = {
  title: "NOTE",
  cell: ({ note }) => note ?? "",
  style: () => "yellow",
  wrap: true
}

/** Each deployment in the requested environment, or else in the most recently changed one. */
const rows = ({ settings }: Invocation) =>
  Effect.gen(function* () {
    const wanted = settings.environment
    const { deployments } = yield* signalbox
    const all = yield* deployments.list
    return yield* Effect.forEach(
      all.filter(({ environments }) => wanted === undefined || environments.some((name) => name === wanted)),
      (deployment) =>
        Effect.map(deployments.environments(deployment.deploymentId), (states) => {
          const state = states.find(({ environment }) => wanted === undefined || environment === wanted)
          const status = state?.status ?? ("initialized" as const)
          const stacks = stackNames(deployment, state === undefined ? [] : [state]).map((name) => ({
            name,
            status: state?.stacks.find((stack) => stack.name === name)?.status ?? ("not_deployed" as const)
          }))
          return {
            ...deploymentView(deployment, states),
            environment: state?.environment ?? wanted ?? null,
            status,
            note: disagreement({ status, stacks }, settings.config === undefined ? "bare" : "configured") ?? null,
            correlationId: state?.current ?? null,
            updatedAt: instantOf(state?.updatedAt ?? deployment.createdAt)
          }
        })
    )
  })

export const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const inv = yield* invocation
    const deployments = hasStore(inv) ? yield* withServices(inv, rows(inv)) : []
    yield* inv.result({ deployments }, () => {
      if (deployments.length === 0) return ["No deployments here. Create one with: signalbox init"]
      const now = Date.now()
      return table(
        deployments,
        [
          { title: "DEPLOYMENT", cell: (row) => row.deploymentId },
          { title: "PROJECT", cell: (row) => `${row.organization}/${row.project}`, drop: 1 },
          { title: "ENVIRONMENT", cell: (row) => row.environment ?? "–" },
          {
            title: "STATUS",
            cell: (row) => `${mark(row.status)[0]} ${word(row.status)}`,
            style: (row) => mark(row.status)[1]
          },
          { title: "UPDATED", cell: (row) => ago(row.updatedAt.getTime(), now), drop: 2 },
          { title: "IN PROGRESS", cell: (row) => row.correlationId ?? "", drop: 3 },
          ...(deployments.some(({ note }) => note !== null) ? [noteColumn] : [])
        ],
        { width: inv.host.stdout.columns(), paint: inv.paint }
      )
    })
  })
).pipe(Command.withDescription("List the deployments in this store, with their status"))
