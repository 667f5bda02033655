import type { CauseInfo, EdgeCode, ErrorInfo } from "../domain/errors/index.ts"
import { describeCause, type DescribedError, errorView } from "./describe.ts"
import { words } from "./words.ts"

/** Why an execution ended before it was admitted: its error, or else its cause under the code of its status. */
export const endedView = (state: {
  readonly correlationId: string
  readonly status: string
  readonly error?: ErrorInfo
  readonly cause?: CauseInfo
}): DescribedError => {
  const { cause, correlationId, error, status } = state
  const view: DescribedError =
    error === undefined
      ? {
          code: status as EdgeCode,
          message: cause === undefined ? "no reason is recorded" : describeCause(cause)
        }
      : errorView(error)
  return { ...view, message: `${correlationId} is ${words(status)}: ${view.message}` }
}
