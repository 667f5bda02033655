/**
 * Whether a request matches the execution that already has its correlation id.
 */
import * as Effect from "effect/Effect"
import type { ExecutionState } from "../../domain/Execution.ts"
import { reject, type Rejected } from "../../api/Rejected.ts"
import type { Request } from "../../api/Request.ts"

/** The rollback itself determines which stacks roll back. */
const stacksOf = ({ kind, stacks }: Pick<Request, "kind"> & { readonly stacks?: ReadonlyArray<string> | undefined }) =>
  stacks === undefined || stacks.length === 0 || kind === "rollback" ? undefined : [...stacks].sort().join(", ")

const artifactsOf = ({ artifacts }: Pick<Request, "artifacts">) =>
  artifacts === undefined
    ? undefined
    : Object.entries(artifacts)
        .map(([stack, artifact]) => `${stack}=${artifact}`)
        .sort()
        .join(", ")

/**
 * The recorded fields besides the requested operation.
 *
 * *Details*: anyone may carry on an execution, so the actor counts only with `identical`. The command of a registered
 * request becomes known when it runs.
 */
const compared = (request: Request, state: ExecutionState) => {
  const identical = request.identical === true
  const was = { ...state, stacks: stacksOf({ kind: request.kind, stacks: state.stacks.map(({ name }) => name) }) }
  return [
    ["kind", was.kind, request.kind],
    ["version", was.version, request.version],
    ["artifact", was.artifact, request.artifact],
    ["artifacts", artifactsOf(was), artifactsOf(request)],
    ["target", was.to?.named, request.to === was.to?.execution ? undefined : request.to],
    ["strategy", was.strategy, request.strategy],
    ["stack", was.stacks, stacksOf(request)],
    ["command", was.command, was.command && request.command],
    ["override", was.override, request.override],
    ["commit", was.origin?.commit, request.origin?.commit],
    ["workflow run", was.origin?.workflowRun, identical ? request.origin?.workflowRun : undefined],
    ["actor", was.by, identical ? request.by : undefined]
  ] as const
}

const differenceOf = (request: Request, state: ExecutionState): Rejected | undefined => {
  const { correlationId: execution, deploymentId: deployment, environment, kind } = state
  if (request.deploymentId !== deployment || request.environment !== environment) {
    return reject("correlation_id_taken", { execution, kind, deployment, environment })
  }
  const differs = compared(request, state).find(([, was, is]) => is !== undefined && is !== was)
  if (differs === undefined) return undefined
  const [field, before, now] = differs
  return reject("correlation_id_taken", { execution, field, before, now })
}

/**
 * Joins the execution with the correlation id of a request. Omitted fields keep their recorded values.
 *
 * *Errors*: `Rejected` (`conflict`) where it is another one; it names what differs.
 */
export const joinExisting = (
  request: Request,
  execution: ExecutionState
): Effect.Effect<{ readonly execution: ExecutionState; readonly joined: true }, Rejected> => {
  const rejected = differenceOf(request, execution)
  return rejected === undefined ? Effect.succeed({ execution, joined: true }) : Effect.fail(rejected)
}
