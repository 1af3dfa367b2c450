;; One AES block (FIPS 197) in WebAssembly SIMD, for header protection masks (RFC 9001 section 5.4.3). Constant
;; time: the S-box is looked up by sixteen byte shuffles, each over one whole row, so that no address
;; depends on a secret. Assembled by scripts/build-wasm.ts, called by wasm-aes.ts.
;;
;; Memory:
;;     0  S-box, 16 rows of 16 bytes
;;   256  round keys, 16 bytes each: 11 for AES-128, 15 for AES-256; `expand` finds the key there
;;   496  the block, replaced by its encryption
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\63\7c\77\7b\f2\6b\6f\c5\30\01\67\2b\fe\d7\ab\76")
  (data (i32.const 16) "\ca\82\c9\7d\fa\59\47\f0\ad\d4\a2\af\9c\a4\72\c0")
  (data (i32.const 32) "\b7\fd\93\26\36\3f\f7\cc\34\a5\e5\f1\71\d8\31\15")
  (data (i32.const 48) "\04\c7\23\c3\18\96\05\9a\07\12\80\e2\eb\27\b2\75")
  (data (i32.const 64) "\09\83\2c\1a\1b\6e\5a\a0\52\3b\d6\b3\29\e3\2f\84")
  (data (i32.const 80) "\53\d1\00\ed\20\fc\b1\5b\6a\cb\be\39\4a\4c\58\cf")
  (data (i32.const 96) "\d0\ef\aa\fb\43\4d\33\85\45\f9\02\7f\50\3c\9f\a8")
  (data (i32.const 112) "\51\a3\40\8f\92\9d\38\f5\bc\b6\da\21\10\ff\f3\d2")
  (data (i32.const 128) "\cd\0c\13\ec\5f\97\44\17\c4\a7\7e\3d\64\5d\19\73")
  (data (i32.const 144) "\60\81\4f\dc\22\2a\90\88\46\ee\b8\14\de\5e\0b\db")
  (data (i32.const 160) "\e0\32\3a\0a\49\06\24\5c\c2\d3\ac\62\91\95\e4\79")
  (data (i32.const 176) "\e7\c8\37\6d\8d\d5\4e\a9\6c\56\f4\ea\65\7a\ae\08")
  (data (i32.const 192) "\ba\78\25\2e\1c\a6\b4\c6\e8\dd\74\1f\4b\bd\8b\8a")
  (data (i32.const 208) "\70\3e\b5\66\48\03\f6\0e\61\35\57\b9\86\c1\1d\9e")
  (data (i32.const 224) "\e1\f8\98\11\69\d9\8e\94\9b\1e\87\e9\ce\55\28\df")
  (data (i32.const 240) "\8c\a1\89\0d\bf\e6\42\68\41\99\2d\0f\b0\54\bb\16")

  ;; SubBytes. A shuffle gives 0 for an index beyond 15; $x xor 16 N is below 16 exactly in the bytes whose
  ;; high digit is N, so each byte is found by one of the sixteen shuffles.
  (func $substitute (param $x v128) (result v128) (local $y v128)
    (local.set $y (i8x16.swizzle (v128.load (i32.const 0)) (local.get $x)))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=16 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 16))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=32 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 32))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=48 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 48))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=64 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 64))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=80 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 80))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=96 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 96))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=112 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 112))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=128 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 128))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=144 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 144))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=160 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 160))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=176 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 176))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=192 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 192))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=208 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 208))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=224 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 224))))))
    (local.set $y (v128.or (local.get $y) (i8x16.swizzle (v128.load offset=240 (i32.const 0))
      (v128.xor (local.get $x) (i8x16.splat (i32.const 240))))))
    (local.get $y))

  ;; SubWord, by the way of all sixteen bytes.
  (func $substituteWord (param $word i32) (result i32)
    (i32x4.extract_lane 0 (call $substitute (i32x4.splat (local.get $word)))))

  ;; Key expansion (FIPS 197 section 5.2). The key of $keyWords words stands at 256; $words are wanted.
  (func (export "expand") (param $keyWords i32) (param $words i32)
    (local $i i32) (local $phase i32) (local $word i32) (local $constant i32) (local $at i32)
    (local.set $constant (i32.const 1))
    (local.set $i (local.get $keyWords))
    (loop $next
      (local.set $at (i32.shl (local.get $i) (i32.const 2)))
      (local.set $word (i32.load offset=252 (local.get $at)))
      (local.set $phase (i32.rem_u (local.get $i) (local.get $keyWords)))
      (if (i32.eqz (local.get $phase))
        (then
          (local.set $word (i32.xor (local.get $constant)
            (call $substituteWord (i32.rotr (local.get $word) (i32.const 8)))))
          ;; The round constant doubles in GF(2^8).
          (local.set $constant (i32.xor (i32.shl (local.get $constant) (i32.const 1))
            (i32.mul (i32.shr_u (local.get $constant) (i32.const 7)) (i32.const 0x11b))))))
      (if (i32.and (i32.gt_u (local.get $keyWords) (i32.const 6)) (i32.eq (local.get $phase) (i32.const 4)))
        (then (local.set $word (call $substituteWord (local.get $word)))))
      (i32.store offset=256 (local.get $at) (i32.xor (local.get $word)
        (i32.load offset=256 (i32.sub (local.get $at) (i32.shl (local.get $keyWords) (i32.const 2))))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $words)))))

  ;; Encrypts the block at 496 with the round keys at 256, the last of which is number $rounds.
  (func (export "encrypt") (param $rounds i32) (local $x v128) (local $double v128) (local $at i32) (local $last i32)
    (local.set $x (v128.xor (v128.load offset=496 (i32.const 0)) (v128.load offset=256 (i32.const 0))))
    (local.set $last (i32.shl (local.get $rounds) (i32.const 4)))
    (local.set $at (i32.const 16))
    (loop $round
      (local.set $x (call $substitute (local.get $x)))
      ;; ShiftRows
      (local.set $x (i8x16.shuffle 0 5 10 15 4 9 14 3 8 13 2 7 12 1 6 11 (local.get $x) (local.get $x)))
      ;; MixColumns: 2 a0 + 3 a1 + a2 + a3 = (2 a0) + (2 a1 + a1) + a2 + a3
      (local.set $double (v128.xor (i8x16.shl (local.get $x) (i32.const 1))
        (v128.and (i8x16.shr_s (local.get $x) (i32.const 7)) (i8x16.splat (i32.const 0x1b)))))
      (local.set $double (v128.xor (local.get $double)
        (i8x16.shuffle 1 2 3 0 5 6 7 4 9 10 11 8 13 14 15 12
          (v128.xor (local.get $double) (local.get $x)) (v128.const i64x2 0 0))))
      (local.set $x (v128.xor (local.get $double) (v128.xor
        (i8x16.shuffle 2 3 0 1 6 7 4 5 10 11 8 9 14 15 12 13 (local.get $x) (local.get $x))
        (i8x16.shuffle 3 0 1 2 7 4 5 6 11 8 9 10 15 12 13 14 (local.get $x) (local.get $x)))))
      (local.set $x (v128.xor (local.get $x) (v128.load offset=256 (local.get $at))))
      (br_if $round (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $last))))
    ;; The last round has no MixColumns.
    (local.set $x (call $substitute (local.get $x)))
    (v128.store offset=496 (i32.const 0) (v128.xor (v128.load offset=256 (local.get $last))
      (i8x16.shuffle 0 5 10 15 4 9 14 3 8 13 2 7 12 1 6 11 (local.get $x) (local.get $x)))))
)
