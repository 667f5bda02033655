/** The key of the facade, without the rest of the engine. */
export { Signalbox } from "@signalbox/core/engine"
