import type { PlannedStack, Request } from "@signalbox/core/api"
import { traceIdOf } from "@signalbox/core/telemetry"

/** What a dry run prints. */
export const planView = (request: Request, plan: ReadonlyArray<PlannedStack>) => ({
  deploymentId: request.deploymentId,
  correlationId: request.correlationId,
  traceId: traceIdOf(request.correlationId),
  kind: request.kind,
  environment: request.environment,
  version: request.version ?? null,
  strategy: request.strategy ?? null,
  triggeredBy: request.by,
  dryRun: true,
  stacks: plan.map(({ dependsOn, irreversible, name, plan, provider, waitsFor }) => ({
    name,
    provider,
    dependsOn,
    // Null if it cannot be planned yet, because it waits for outputs of stacks that are not deployed.
    action: plan?.action ?? null,
    waitsFor,
    release: plan?.candidate ?? null,
    from: plan?.checkpoint.release ?? null,
    changes: plan?.changes ?? [],
    rollback: plan?.rollback ?? null,
    warnings: plan?.warnings ?? [],
    irreversible: irreversible ?? null
  }))
})
