import Control.Monad (forM, forM_)
import Control.Monad.ST (ST, runST)
import Data.STRef (modifySTRef', newSTRef, readSTRef)
import Data.Array.ST (STUArray, newListArray, readArray, writeArray)

find :: STUArray s Int Int -> Int -> ST s Int
find parent x = do
  p <- readArray parent x
  if p == x
    then return x
    else do
      root <- find parent p
      writeArray parent x root
      return root

components :: Int -> [(Int, Int)] -> Int
components n edges = runST $ do
  parent <- newListArray (1, n) [1 .. n]
  left <- newSTRef n
  forM_ edges $ \(a, b) -> do
    ra <- find parent a
    rb <- find parent b
    if ra == rb
      then return ()
      else do
        writeArray parent ra rb
        modifySTRef' left (subtract 1)
  readSTRef left

main :: IO ()
main = do
  [n, m] <- fmap (map read . words) getLine
  edges <- forM [1 .. m] $ \_ -> do
    [a, b] <- fmap (map read . words) getLine
    return (a, b)
  print (components n (edges :: [(Int, Int)]))
