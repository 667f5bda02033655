export * from "./Kinds.ts"
export * from "./Message.ts"
