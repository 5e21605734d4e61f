// How V8 compiles the hot path. Deciding one transaction runs through some hundred small functions,
// and V8's default budget stops inlining them half-way: with these budgets the core takes 0.8 of
// the time a transaction (ratio of two runs side by side, 1.5 M canonical transactions), at the
// price of some ms more of background compilation. Flags count for the whole process; set before
// hot code has been compiled, by the first import of the lane's thread.
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--max-inlined-bytecode-size=1500');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');
