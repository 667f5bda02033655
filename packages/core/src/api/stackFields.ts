import * as Schema from "effect/Schema"
import { Percent } from "../domain/Ids.ts"
import { StackStatus } from "../domain/Machines.ts"
import { Endpoints, Outputs, Release } from "../domain/Release.ts"

/** What is shown of a stack, of an execution or of an environment. */
export const stackFields = {
  status: StackStatus,
  release: Schema.NullOr(Release),
  candidate: Schema.NullOr(Release),
  candidateTraffic: Percent,
  outputs: Outputs,
  endpoints: Schema.optionalKey(Endpoints)
}
