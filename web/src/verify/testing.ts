// What the unit tests use of the verifier, outside a browser.
export { hex, fromHex, fromBase64, base64, utf8 } from "./bytes";
export { checkBetween, Room, Traffic, TRAFFIC_MAX } from "./between";
export { BundleReader, ITEM_MAX } from "./bundle";
export { CauseBook } from "./causes";
export { CborReader, Refused } from "./cbor";
export { decodeCbor, ITEMS_MAX } from "./cbor_tree";
export { ChainVerifier, Counts, Found } from "./chain";
export { decodeElementStrict } from "./element";
export { growthOf, rememberCheckpoint, rememberedCheckpoint, forgetCheckpoint } from "./growth";
export { Hashing } from "./hashing";
export { hasEd25519, parseKey, parseNote } from "./note";
export { readDescriptor, readEffects, readRejection } from "./payloads";
export { Failure } from "./problem";
export { verifyProof } from "./proof";
export { sha256 as sha256Bytes } from "./sha256";
export { consistencyHolds, inclusionHolds, leafHash, LogTree, nodeHash, stateRoot } from "./tree";
export { CHAINS_MAX, verifyBundle } from "./verify";
export * from "./views";
