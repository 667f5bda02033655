import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Backend } from "../host/Host.ts"

export const providers: Backend["providers"] = Effect.succeed(new Map())
export const layer: Backend["layer"] = () => Layer.unwrap(Effect.die("soon"))
export const supervise: Backend["supervise"] = () => Effect.void
