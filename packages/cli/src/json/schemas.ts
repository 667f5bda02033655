/** The schema names of streamed objects, with their versions. */
export const schemas = {
  execution: "signalbox.execution/1",
  event: "signalbox.event/1",
  log: "signalbox.log/1",
  turn: "signalbox.turn/1"
} as const
