# Forms of MIPS64 that compilers seldom emit: assembled by test/lift/programs.sh, so that the lifter is held to them too.
 .set mips64r2
 .set noreorder
 .set noat
 .set nomacro
 .text
 .globl __start
 .globl _start
 .type _start, @function
__start:
_start:
 add $2,$4,$5
 add $2,$2,$5
 sub $2,$4,$5
 addi $2,$4,-9
 addi $2,$2,0x7000
 dadd $2,$4,$5
 dadd $2,$2,$2
 dsub $2,$4,$5
 daddi $2,$4,-9
 daddi $2,$2,0x7000
 sll $2,$4,0
 sll $2,$4,31
 sllv $2,$4,$5
 srlv $2,$4,$5
 srav $2,$4,$5
 srav $2,$2,$5
 sra $2,$4,31
 rotr $2,$4,7
 rotrv $2,$4,$5
 dsllv $2,$4,$5
 dsrlv $2,$4,$5
 dsrav $2,$4,$5
 drotr $2,$4,9
 drotr32 $2,$4,9
 drotrv $2,$4,$5
 dsll $2,$4,31
 dsll32 $2,$4,31
 dsrl $2,$4,1
 dsrl32 $2,$4,0
 dsra $2,$4,31
 dsra32 $2,$4,31
 slti $2,$4,-1
 sltiu $2,$4,-1
 slt $2,$4,$5
 sltu $2,$4,$5
 clz $2,$4
 clo $2,$4
 dclz $2,$4
 dclo $2,$4
 seb $2,$4
 seh $2,$4
 wsbh $2,$4
 dsbh $2,$4
 dshd $2,$4
 ext $2,$4,0,32
 ext $2,$4,5,7
 ext $2,$4,31,1
 dext $2,$4,0,32
 dext $2,$4,31,17
 dextm $2,$4,0,64
 dextm $2,$4,7,40
 dextu $2,$4,32,32
 dextu $2,$4,63,1
 ins $2,$4,0,32
 ins $2,$4,5,7
 ins $2,$4,31,1
 ins $2,$0,3,4
 dins $2,$4,0,32
 dins $2,$4,9,3
 dins $2,$2,9,3
 dinsm $2,$4,0,64
 dinsm $2,$4,20,40
 dinsm $2,$0,31,2
 dinsu $2,$4,32,32
 dinsu $2,$4,63,1
 dinsu $2,$0,40,9
 mult $4,$5
 multu $4,$5
 madd $4,$5
 maddu $4,$5
 msub $4,$5
 msubu $4,$5
 madd $4,$4
 mul $2,$4,$5
 dmult $4,$5
 dmultu $4,$5
 div $0,$4,$5
 divu $0,$4,$5
 ddiv $0,$4,$5
 ddivu $0,$4,$5
 mthi $4
 mtlo $4
 mfhi $2
 mflo $2
 movz $2,$4,$5
 movn $2,$4,$5
 movt $2,$4,$fcc0
 movf $2,$4,$fcc3
 movt $2,$4,$fcc7
 lb $2,3($4)
 lbu $2,3($4)
 lh $2,2($4)
 lhu $2,2($4)
 lw $2,4($4)
 lwu $2,4($4)
 ld $2,8($4)
 sb $2,3($4)
 sh $2,2($4)
 sw $2,4($4)
 sd $2,8($4)
 lwl $2,1($4)
 lwr $2,2($4)
 swl $2,1($4)
 swr $2,2($4)
 ldl $2,1($4)
 ldl $2,5($4)
 ldr $2,2($4)
 ldr $2,6($4)
 sdl $2,1($4)
 sdl $2,3($4)
 sdr $2,2($4)
 sdr $2,7($4)
 ldl $2,3($2)
 ldr $2,3($2)
 ll $2,4($4)
 sc $2,4($4)
 lld $2,8($4)
 scd $2,8($4)
 teq $4,$5
 tne $4,$5
 tge $4,$5
 tgeu $4,$5
 tlt $4,$5
 tltu $4,$5
 teqi $4,9
 tnei $4,-9
 tgei $4,9
 tgeiu $4,-9
 tlti $4,9
 tltiu $4,-9
 pref 0,8($4)
 sync
 ll $2,4($4)
 addiu $2,$2,1
 sc $2,4($4)
 lld $3,8($4)
 daddiu $3,$3,1
 scd $3,8($4)
1:
 beq $4,$5,1b
 nop
 bne $4,$5,1b
 nop
 bltz $4,1b
 nop
 bgez $4,1b
 nop
 blez $4,1b
 nop
 bgtz $4,1b
 nop
 beql $4,$5,1b
 daddiu $2,$2,1
 bnel $4,$5,1b
 daddiu $2,$2,1
 bltzl $4,1b
 daddiu $2,$2,1
 bgezl $4,1b
 daddiu $2,$2,1
 blezl $4,1b
 daddiu $2,$2,1
 bgtzl $4,1b
 daddiu $2,$2,1
 bltzal $4,1b
 daddiu $2,$2,1
 bgezal $4,1b
 daddiu $2,$2,1
 bltzall $4,1b
 daddiu $2,$2,1
 bgezall $4,1b
 daddiu $2,$2,1
 bc1t $fcc0,1b
 nop
 bc1f $fcc2,1b
 nop
 bc1tl $fcc5,1b
 nop
 bc1fl $fcc7,1b
 nop
 jalr $31,$25
 sra $4,$5,2
 jalr $2,$25
 nop
 syscall
 break
 jr $31
 nop
 .size _start, .-_start
