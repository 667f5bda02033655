import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Backend } from "./Host.ts"

const load = Effect.promise(() => import("../backend/embedded.ts"))

/** The embedded backend, loaded when the first command needs it. */
export const embedded: Backend = {
  notifiers: (directory, plugins) => Effect.flatMap(load, (backend) => backend.notifiers(directory, plugins)),
  providers: (directory, plugins) => Effect.flatMap(load, (backend) => backend.providers(directory, plugins)),
  layer: (options) => Layer.unwrap(Effect.map(load, (backend) => backend.layer(options))),
  adopt: (directory, id, store) => Effect.flatMap(load, (backend) => backend.adopt(directory, id, store)),
  held: (directory) => Effect.flatMap(load, (backend) => backend.held(directory)),
  abandon: (directory, what) => Effect.flatMap(load, (backend) => backend.abandon(directory, what)),
  supervise: (directory) =>
    Effect.promise(async () => (await import("../backend/supervisor.ts")).runSupervisor(directory))
}
