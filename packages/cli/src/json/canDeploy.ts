/** The answer of `can-deploy` as JSON shows it. The names are API. */
import type { Blocker, CanDeploy, ExpectedClearance } from "@signalbox/core/engine"
import { describe, describeWaysOut } from "@signalbox/core/text"
import { iso } from "./execution.ts"

/** `basis` is `known` where it ends at that time; `n` is null there. */
const clearingView = ({ basis, high, low, n, point }: ExpectedClearance) => ({
  low: iso(low),
  point: iso(point),
  high: iso(high),
  basis,
  n
})

export const blockerView = ({ clearsAt, consoleUrl, info, kind, since, who }: Blocker) => ({
  kind,
  message: describe(info).message,
  code: info.code,
  params: info.params,
  ...(info.detail === undefined ? {} : { detail: info.detail }),
  who,
  since: since === null ? null : iso(since),
  clearsAt: clearsAt === null ? null : clearingView(clearsAt),
  consoleUrl,
  override: describeWaysOut(info.remedies) ?? null,
  remedies: info.remedies ?? []
})

const freezeView = (freeze: CanDeploy.CanDeployAnswer["nextFreeze"]) =>
  freeze === null ? null : { name: freeze.name, since: iso(freeze.since), until: iso(freeze.until) }

export const canDeployView = (
  { deploymentId, environment }: Pick<CanDeploy.CanDeployRequest, "deploymentId" | "environment">,
  answer: CanDeploy.CanDeployAnswer
) => ({
  deploymentId,
  environment,
  canDeploy: answer.canDeploy,
  degraded: answer.degraded !== null,
  degradedReason: answer.degraded,
  blockers: answer.blockers.map(blockerView),
  queue: { length: answer.queue },
  nextFreeze: freezeView(answer.nextFreeze),
  checkedAt: iso(answer.checkedAt)
})
