/** All codes in one table. It holds no schemas, so that the command line can load it early. */
import { commandErrors, providerErrors, storeErrors } from "./AdapterErrors.ts"
import { causes } from "./Causes.ts"
import { coordinationErrors } from "./CoordinationErrors.ts"
import { edgeErrors } from "./EdgeErrors.ts"
import { executionErrors } from "./ExecutionErrors.ts"
import { findings } from "./Findings.ts"
import { notifierErrors } from "./NotifierErrors.ts"
import type { CauseSpec, ErrorSpec, ParamValues } from "./Registry.ts"
import { requestErrors } from "./RequestErrors.ts"

/** The errors that the engine and its adapters know. */
export const errors = {
  ...requestErrors,
  ...coordinationErrors,
  ...executionErrors,
  ...providerErrors,
  ...storeErrors,
  ...commandErrors,
  ...notifierErrors
} as const
/** The code of an error of the engine or an adapter. */
export type ErrorCode = keyof typeof errors

/** Everything that a cause can be: also an error, where it is the reason for something else. */
export const allCauses = { ...errors, ...causes, ...findings } as const
/** The code of a cause; every error is one too. */
export type CauseCode = keyof typeof allCauses

/** The parameters of a code. */
export type ParamsOf<C extends CauseCode> = (typeof allCauses)[C] extends CauseSpec<infer P> ? ParamValues<P> : never

const unregistered: ErrorSpec = {
  exit: "failed",
  ends: "failed",
  fault: "signalbox",
  retryable: false,
  params: {},
  meaning: "The code comes from another version."
}

const all: Readonly<Record<string, ErrorSpec>> = { ...edgeErrors, ...errors }

/** What the registry says of an error; of one from another version only that it is a failure. */
export const errorSpec = ({ code }: { readonly code: string }): ErrorSpec => all[code] ?? unregistered
