# Forms of PowerPC that compilers seldom emit: assembled by test/lift/programs.sh, so that the lifter is held to them too.
 .machine "any"
 .globl _start
_start:
 addo 3,4,5
 addo. 3,4,5
 addco 3,4,5
 addco. 3,4,5
 addc. 3,4,5
 addeo 3,4,5
 addeo. 3,4,5
 addmeo 3,4
 addme. 3,4
 addmeo. 3,4
 addzeo 3,4
 addzeo. 3,4
 subfo 3,4,5
 subfo. 3,4,5
 subfc. 3,4,5
 subfco 3,4,5
 subfco. 3,4,5
 subfe. 3,4,5
 subfeo 3,4,5
 subfeo. 3,4,5
 subfme 3,4
 subfme. 3,4
 subfmeo 3,4
 subfmeo. 3,4
 subfze 3,4
 subfze. 3,4
 subfzeo 3,4
 subfzeo. 3,4
 nego 3,4
 nego. 3,4
 mullwo 3,4,5
 mullwo. 3,4,5
 mulhw. 3,4,5
 mulhwu. 3,4,5
 divw. 3,4,5
 divwo 3,4,5
 divwo. 3,4,5
 divwu 3,4,5
 divwu. 3,4,5
 divwuo 3,4,5
 divwuo. 3,4,5
 nand 3,4,5
 nand. 3,4,5
 eqv 3,4,5
 eqv. 3,4,5
 orc 3,4,5
 orc. 3,4,5
 nor. 3,4,5
 cntlzw. 3,4
 sraw. 3,4,5
 rlwimi. 3,4,5,6,7
 rlwimi 3,4,5,28,3
 rlwnm 3,4,5,28,3
 rlwnm. 3,4,5,2,9
 rlwinm 3,4,5,28,3
 crand 1,2,3
 crandc 1,2,3
 crnand 1,2,3
 cror 4,5,6
 crorc 4,5,6
 crnor 4,5,6
 crxor 4,5,6
 creqv 4,5,6
 mcrf 3,5
 mcrf 3,3
 mfcr 3
 mtcrf 0xff,3
 mtcrf 0x91,3
 mtocrf 0x10,3
 mfocrf 3,0x10
 mfxer 3
 mtxer 3
 mfctr 3
 mtctr 3
 mflr 3
 mtlr 3
 lhbrx 3,4,5
 sthbrx 3,4,5
 lwbrx 3,4,5
 stwbrx 3,4,5
 lhaux 3,4,5
 lhau 3,4(5)
 lhax 3,4,5
 lbzux 3,4,5
 stbux 3,4,5
 sthux 3,4,5
 lhzux 3,4,5
 stwux 3,4,5
 lmw 28,8(4)
 stmw 28,8(4)
 lswi 3,9,5
 lswi 30,9,16
 lswi 3,12,0
 stswi 3,9,5
 stswi 30,9,16
 stswi 3,12,0
 lwarx 3,4,5
 stwcx. 3,4,5
 dcbst 3,4
 dcbf 3,4
 icbi 3,4
 dcbtst 3,4
 eieio
 sync
 lwsync
 isync
 twlgti 3,4
 tweq 3,4
 twlle 3,4
 twgti 3,-5
 tw 10,3,4
 tw 5,3,4
 twi 24,3,7
 bdnzt 2,.+8
 bdnzf 2,.+8
 bdzt 2,.+8
 bdzf 2,.+8
 bdnz+ .+8
 bdz- .+8
 bdnzl .+8
 bdzl .+8
 bdnzlr
 bdzlr
 bdnzlrl
 bdzlrl
 bdnztl 2,.+8
 beql 6,.+8
 bnel 6,.+8
 beqlrl 2
 bnectr 3
 bnectrl 3
 bcl 20,31,.+4
 blrl
 bctrl
 beqlr
 bdnzflr 2
 bcl 16,0,.+4
 bl .+8
 blr
