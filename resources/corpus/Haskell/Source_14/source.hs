import Data.Bits (shiftR, xor, (.&.))
import Data.List (foldl', unfoldr)
import Text.Printf (printf)

data Stats = Stats {counted :: !Int, total :: !Double, squares :: !Double, highest :: !Double}

noStats :: Stats
noStats = Stats 0 0 0 (-1 / 0)

observe :: Stats -> Double -> Stats
observe s x = Stats (counted s + 1) (total s + x) (squares s + x * x) (max (highest s) x)

-- A small generator: 16-bit xorshift.
noise :: Int -> [Double]
noise = map (\x -> fromIntegral x / 65535) . unfoldr (\s -> let s' = next s in Just (s', s'))
  where
    next s0 =
      let s1 = (s0 `xor` (s0 * 128)) .&. 65535
          s2 = s1 `xor` (s1 `shiftR` 9)
       in (s2 `xor` (s2 * 256)) .&. 65535

main :: IO ()
main = do
  [seed, n] <- map read . words <$> getLine
  let s = foldl' observe noStats (take n (noise seed))
      mean = total s / fromIntegral (counted s)
      variance = squares s / fromIntegral (counted s) - mean * mean
  printf "n=%d mean=%.4f sd=%.4f max=%.4f\n" (counted s) mean (sqrt variance) (highest s)
