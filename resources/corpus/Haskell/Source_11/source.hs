module Main (main) where

import Text.Read (readMaybe)

data Fault = TooFew String | NotANumber String | LeftOver Int

instance Show Fault where
  show (TooFew op) = "too few operands for " ++ op
  show (NotANumber t) = t ++ " is not a number"
  show (LeftOver n) = show n ++ " values left"

step :: [Integer] -> String -> Either Fault [Integer]
step (b : a : rest) "+" = Right (a + b : rest)
step (b : a : rest) "-" = Right (a - b : rest)
step (b : a : rest) "*" = Right (a * b : rest)
step stack token
  | token `elem` ["+", "-", "*"] = Left (TooFew token)
  | otherwise = maybe (Left (NotANumber token)) (Right . (: stack)) (readMaybe token)

evaluate :: String -> Either Fault Integer
evaluate line = do
  stack <- foldl (\acc t -> acc >>= \s -> step s t) (Right []) (words line)
  case stack of
    [x] -> Right x
    other -> Left (LeftOver (length other))

main :: IO ()
main = interact (unlines . map (either show show . evaluate) . lines)
